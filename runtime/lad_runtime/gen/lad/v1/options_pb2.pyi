from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Answered(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANSWERED_UNSPECIFIED: _ClassVar[Answered]
    ANSWERED_AT_ONCE: _ClassVar[Answered]
    ANSWERED_WITHIN_A_STEP: _ClassVar[Answered]
ANSWERED_UNSPECIFIED: Answered
ANSWERED_AT_ONCE: Answered
ANSWERED_WITHIN_A_STEP: Answered
MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
max_items: _descriptor.FieldDescriptor
MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
max_bytes: _descriptor.FieldDescriptor
OPTION_NAME_FIELD_NUMBER: _ClassVar[int]
option_name: _descriptor.FieldDescriptor
CHOICE_NAME_FIELD_NUMBER: _ClassVar[int]
choice_name: _descriptor.FieldDescriptor
WORD_FIELD_NUMBER: _ClassVar[int]
word: _descriptor.FieldDescriptor
MAX_REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
max_request_bytes: _descriptor.FieldDescriptor
ANSWERED_FIELD_NUMBER: _ClassVar[int]
answered: _descriptor.FieldDescriptor
