"""Messages of data.proto."""

from collections.abc import Iterable

from lad_runtime.gen.lad.v1 import data_pb2 as pb
from lad_runtime.types.data import HubDataset, Message, PreparedExample, WindowReport, WindowSpec
from lad_runtime.wire.enums import SUPERVISE_TURNS, TOO_LONG


def read_hub_dataset(message: pb.HubDataset) -> HubDataset:
    return HubDataset(
        name=message.name,
        config=message.config,
        split=message.split,
        revision=message.revision,
        hub_token=message.hub_token,
        max_examples=message.max_examples,
    )


def read_window(message: pb.WindowSpec) -> WindowSpec:
    return WindowSpec(
        window=message.window,
        pad_to_window=message.pad_to_window,
        too_long=TOO_LONG.read(message.too_long),
        max_prompt_tokens=message.max_prompt_tokens,
        supervise=SUPERVISE_TURNS.read(message.supervise),
        allow_special=message.allow_special,
    )


def write_window_report(report: WindowReport) -> pb.WindowReport:
    return pb.WindowReport(
        examples=report.examples,
        kept=report.kept,
        dropped=report.dropped,
        truncated=report.truncated,
        prompt_tokens=report.prompt_tokens,
        answer_tokens=report.answer_tokens,
        tail_tokens=report.tail_tokens,
        special_tokens=report.special_tokens,
        mask_tokens=report.mask_tokens,
        end_token=report.end_token,
        end_token_id=report.end_token_id,
    )


def write_example(example: PreparedExample) -> pb.PreparedExample:
    return pb.PreparedExample(
        id=example.id, ids=example.ids, answer=bytes(example.answer), tail=bytes(example.tail)
    )


def read_messages(messages: Iterable[pb.Message]) -> tuple[Message, ...]:
    return tuple(Message(role=message.role, content=message.content) for message in messages)  # type: ignore[arg-type]
