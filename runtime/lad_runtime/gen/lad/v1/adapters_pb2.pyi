from lad_runtime.gen.lad.v1 import options_pb2 as _options_pb2
from lad_runtime.gen.lad.v1 import worker_pb2 as _worker_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateAdapterRequest(_message.Message):
    __slots__ = ("base_id", "spec", "adapter_id")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    spec: _worker_pb2.AdapterSpec
    adapter_id: str
    def __init__(self, base_id: _Optional[str] = ..., spec: _Optional[_Union[_worker_pb2.AdapterSpec, _Mapping]] = ..., adapter_id: _Optional[str] = ...) -> None: ...

class CreateAdapterResponse(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: _worker_pb2.Adapter
    def __init__(self, adapter: _Optional[_Union[_worker_pb2.Adapter, _Mapping]] = ...) -> None: ...

class GetAdapterRequest(_message.Message):
    __slots__ = ("adapter_id",)
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    def __init__(self, adapter_id: _Optional[str] = ...) -> None: ...

class GetAdapterResponse(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: _worker_pb2.Adapter
    def __init__(self, adapter: _Optional[_Union[_worker_pb2.Adapter, _Mapping]] = ...) -> None: ...

class DropAdapterRequest(_message.Message):
    __slots__ = ("adapter_id",)
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    def __init__(self, adapter_id: _Optional[str] = ...) -> None: ...

class DropAdapterResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SnapshotAdapterRequest(_message.Message):
    __slots__ = ("adapter_id", "snapshot_id")
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    snapshot_id: str
    def __init__(self, adapter_id: _Optional[str] = ..., snapshot_id: _Optional[str] = ...) -> None: ...

class SnapshotAdapterResponse(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: _worker_pb2.Adapter
    def __init__(self, snapshot: _Optional[_Union[_worker_pb2.Adapter, _Mapping]] = ...) -> None: ...

class DownloadAdapterRequest(_message.Message):
    __slots__ = ("adapter_id", "with_card")
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    WITH_CARD_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    with_card: bool
    def __init__(self, adapter_id: _Optional[str] = ..., with_card: _Optional[bool] = ...) -> None: ...

class DownloadAdapterResponse(_message.Message):
    __slots__ = ("piece",)
    PIECE_FIELD_NUMBER: _ClassVar[int]
    piece: FilePiece
    def __init__(self, piece: _Optional[_Union[FilePiece, _Mapping]] = ...) -> None: ...

class MergeAdapterRequest(_message.Message):
    __slots__ = ("adapter_id", "data_type", "shard_bytes")
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SHARD_BYTES_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    data_type: _worker_pb2.DataType
    shard_bytes: int
    def __init__(self, adapter_id: _Optional[str] = ..., data_type: _Optional[_Union[_worker_pb2.DataType, str]] = ..., shard_bytes: _Optional[int] = ...) -> None: ...

class MergeAdapterResponse(_message.Message):
    __slots__ = ("piece",)
    PIECE_FIELD_NUMBER: _ClassVar[int]
    piece: FilePiece
    def __init__(self, piece: _Optional[_Union[FilePiece, _Mapping]] = ...) -> None: ...

class PushAdapterRequest(_message.Message):
    __slots__ = ("adapter_id", "repo", "private", "message", "hub_token", "idle_timeout_ms")
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    REPO_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    HUB_TOKEN_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    repo: str
    private: bool
    message: str
    hub_token: str
    idle_timeout_ms: int
    def __init__(self, adapter_id: _Optional[str] = ..., repo: _Optional[str] = ..., private: _Optional[bool] = ..., message: _Optional[str] = ..., hub_token: _Optional[str] = ..., idle_timeout_ms: _Optional[int] = ...) -> None: ...

class PushAdapterResponse(_message.Message):
    __slots__ = ("url", "commit")
    URL_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    url: str
    commit: str
    def __init__(self, url: _Optional[str] = ..., commit: _Optional[str] = ...) -> None: ...

class FilePiece(_message.Message):
    __slots__ = ("name", "data")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    data: bytes
    def __init__(self, name: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class UploadAdapterRequest(_message.Message):
    __slots__ = ("header", "piece")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    piece: FilePiece
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., piece: _Optional[_Union[FilePiece, _Mapping]] = ...) -> None: ...

class UploadHeader(_message.Message):
    __slots__ = ("base_id", "adapter_id", "files", "allow_other_base")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_OTHER_BASE_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    adapter_id: str
    files: _containers.RepeatedCompositeFieldContainer[FileSize]
    allow_other_base: bool
    def __init__(self, base_id: _Optional[str] = ..., adapter_id: _Optional[str] = ..., files: _Optional[_Iterable[_Union[FileSize, _Mapping]]] = ..., allow_other_base: _Optional[bool] = ...) -> None: ...

class FileSize(_message.Message):
    __slots__ = ("name", "bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    bytes: int
    def __init__(self, name: _Optional[str] = ..., bytes: _Optional[int] = ...) -> None: ...

class UploadAdapterResponse(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: _worker_pb2.Adapter
    def __init__(self, adapter: _Optional[_Union[_worker_pb2.Adapter, _Mapping]] = ...) -> None: ...

class SaveCheckpointRequest(_message.Message):
    __slots__ = ("adapter_id", "name", "overwrite")
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OVERWRITE_FIELD_NUMBER: _ClassVar[int]
    adapter_id: str
    name: str
    overwrite: bool
    def __init__(self, adapter_id: _Optional[str] = ..., name: _Optional[str] = ..., overwrite: _Optional[bool] = ...) -> None: ...

class SaveCheckpointResponse(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class LoadCheckpointRequest(_message.Message):
    __slots__ = ("base_id", "name", "adapter_id")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    name: str
    adapter_id: str
    def __init__(self, base_id: _Optional[str] = ..., name: _Optional[str] = ..., adapter_id: _Optional[str] = ...) -> None: ...

class LoadCheckpointResponse(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: _worker_pb2.Adapter
    def __init__(self, adapter: _Optional[_Union[_worker_pb2.Adapter, _Mapping]] = ...) -> None: ...

class ListCheckpointsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListCheckpointsResponse(_message.Message):
    __slots__ = ("checkpoints",)
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[StoredCheckpoint]
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[StoredCheckpoint, _Mapping]]] = ...) -> None: ...

class StoredCheckpoint(_message.Message):
    __slots__ = ("name", "base_name", "base_revision", "rank", "steps", "nbytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BASE_NAME_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NBYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    base_name: str
    base_revision: str
    rank: int
    steps: int
    nbytes: int
    def __init__(self, name: _Optional[str] = ..., base_name: _Optional[str] = ..., base_revision: _Optional[str] = ..., rank: _Optional[int] = ..., steps: _Optional[int] = ..., nbytes: _Optional[int] = ...) -> None: ...

class DeleteCheckpointRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteCheckpointResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
