"""The store of data sets and how examples are read."""

import errno
import hashlib
import json
import os
import sys
import types
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.engine.data.datasets import DatasetStore
from lad_runtime.engine.data.examples import read_examples
from lad_runtime.engine.data.hub_data import hub_rows
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import Example, HubDataset, Message

TWO = b'{"instruction": "1 + 1", "output": "2"}\n{"instruction": "2 + 2", "output": "4"}\n'


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


def uploaded(store: DatasetStore, *pieces: bytes) -> tuple[str, int]:
    with store.upload() as upload:
        for piece in pieces:
            upload.write(piece)
        return upload.finish()


def one(**fields: Any) -> Example:
    (example,) = read_examples([json.dumps(fields).encode()])
    return example


def refusal(line: bytes, before: int = 0) -> LadError:
    good = [b'{"instruction": "q%d", "output": "a"}' % n for n in range(before)]
    with pytest.raises(LadError) as refused:
        list(read_examples([*good, line]))
    assert refused.value.code is ErrorCode.INVALID_DATA
    assert f"Line {before + 1} " in str(refused.value)
    return refused.value


def test_a_data_set_is_addressed_by_its_content_however_it_is_cut_into_pieces(store: DatasetStore) -> None:
    whole = uploaded(store, TWO)
    assert whole == (hashlib.sha256(TWO).hexdigest(), 2)
    assert uploaded(store, *[TWO[i : i + 7] for i in range(0, len(TWO), 7)]) == whole
    assert store.count(whole[0]) == 2
    assert [example.id for example in store.examples(whole[0])] == [0, 1]


def test_what_is_not_stored_is_not_found(store: DatasetStore) -> None:
    for dataset_id in ("0" * 64, "", "../../etc/passwd"):
        assert store.count(dataset_id) is None
        with pytest.raises(LadError, match="There is no data set") as refused:
            store.examples(dataset_id)
        assert refused.value.code is ErrorCode.NOT_FOUND


def test_an_upload_that_is_given_up_or_refused_leaves_nothing_behind(
    store: DatasetStore, tmp_path: Path
) -> None:
    with store.upload() as upload:
        upload.write(TWO)
    with pytest.raises(LadError, match="Line 1"):
        uploaded(store, b"{")
    with pytest.raises(LadError, match="no examples"):
        uploaded(store, b"\n\n")
    assert list((tmp_path / "datasets").iterdir()) == []


def test_a_later_worker_finds_what_was_stored_and_drops_what_was_damaged(tmp_path: Path) -> None:
    first = DatasetStore(tmp_path)
    whole, _ = uploaded(first, TWO)
    other, _ = uploaded(first, TWO + TWO)
    (tmp_path / f"{other}.jsonl").write_bytes(TWO[:-3])
    (tmp_path / "half.part").write_bytes(b"x")
    later = DatasetStore(tmp_path)
    assert later.count(whole) == 2
    assert later.count(other) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{whole}.jsonl"]


def test_a_file_of_the_workers_machine_is_read_by_its_absolute_path(
    store: DatasetStore, tmp_path: Path
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(TWO)
    assert store.read_file(str(path)) == (hashlib.sha256(TWO).hexdigest(), 2)
    for missing in (str(tmp_path / "none.jsonl"), "data.jsonl", str(tmp_path)):
        with pytest.raises(LadError, match="There is no file") as refused:
            store.read_file(missing)
        assert refused.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/" + "x" * 300, ErrorCode.NOT_FOUND),  # a name that no file can have
        ("/a\0b", ErrorCode.NOT_FOUND),
        ("/dev/zero", ErrorCode.NOT_FOUND),
        ("/dev/null/x", ErrorCode.NOT_FOUND),
        ("/proc/self/mem", ErrorCode.INVALID_DATA),
        ("/proc/self/pagemap", ErrorCode.INVALID_DATA),
        ("/proc/kmsg", None),  # readable by some users
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="files of Linux")
def test_what_is_no_file_with_an_end_is_refused_at_once(
    store: DatasetStore, path: str, code: ErrorCode | None
) -> None:
    with pytest.raises(LadError) as refused:
        store.read_file(path)
    assert refused.value.code is (code or refused.value.code)
    assert refused.value.option == "data" and refused.value.remedy


def test_a_pipe_is_not_waited_for(store: DatasetStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LadError, match="it is a pipe"):
        store.read_file(str(tmp_path / "pipe"))


def test_a_file_that_cannot_be_read_says_so(store: DatasetStore, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(TWO)
    for number, code in ((errno.EPERM, ErrorCode.ACCESS_DENIED), (errno.EMFILE, ErrorCode.NOT_FOUND)):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(LadError) as refused:
            patch.setattr("os.open", raising(number))
            store.read_file(str(path))
        assert refused.value.code is code
    with pytest.MonkeyPatch.context() as patch, pytest.raises(LadError, match="Input/output") as refused:
        patch.setattr("os.read", raising(errno.EIO))
        store.read_file(str(path))
    assert refused.value.code is ErrorCode.INVALID_DATA
    assert list((tmp_path / "datasets").iterdir()) == []


def raising(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_line_longer_than_any_window_is_refused_without_being_held(store: DatasetStore) -> None:
    with pytest.raises(LadError, match="Line 2 of the data: it is longer than 8 MiB"):
        uploaded(store, TWO[: TWO.index(b"\n") + 1], *[b"x" * (1 << 20)] * 9)


def test_a_data_set_whose_file_went_away_is_not_there_and_can_be_brought_again(
    store: DatasetStore, tmp_path: Path
) -> None:
    dataset_id, _ = uploaded(store, TWO)
    (tmp_path / "datasets").rename(tmp_path / "gone")
    assert store.count(dataset_id) is None
    with pytest.raises(LadError) as refused:
        store.examples(dataset_id)
    assert refused.value.code is ErrorCode.NOT_FOUND
    assert uploaded(store, TWO) == (dataset_id, 2)
    assert len(list(store.examples(dataset_id))) == 2


def test_a_folder_that_went_away_during_an_upload_is_a_failure_of_the_disk(
    store: DatasetStore, tmp_path: Path
) -> None:
    with pytest.raises(LadError) as refused, store.upload() as upload:
        upload.write(TWO)
        (tmp_path / "datasets").rename(tmp_path / "gone")
        upload.finish()
    assert refused.value.code is ErrorCode.STORAGE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("size", [10, 1 << 20])
def test_a_full_disk_is_told_and_the_part_goes(store: DatasetStore, tmp_path: Path, size: int) -> None:
    """Small pieces wait in a buffer, which a full disk refuses only at the end, and once more when the file is closed."""
    with pytest.raises(LadError, match="No space left") as refused, store.upload() as upload:
        upload._file.close()
        upload._file = Path("/dev/full").open("wb")  # noqa: SIM115
        upload.write(b"x" * size)
        upload.finish()
    assert refused.value.code is ErrorCode.STORAGE
    assert list((tmp_path / "datasets").iterdir()) == []


def test_a_full_disk_has_a_name() -> None:
    error = typed_error(OSError(errno.ENOSPC, "No space left on device", "/secret/path"))
    assert error.code is ErrorCode.STORAGE
    assert "ENOSPC" in str(error) and "secret" not in str(error)


def test_instruction_and_input_are_joined_by_a_newline_and_an_empty_system_prompt_is_none() -> None:
    example = one(system="", instruction="Sort.", input="3 1 2", output="1 2 3", source="ignored")
    assert example.messages == (
        Message(role="user", content="Sort.\n3 1 2"),
        Message(role="assistant", content="1 2 3"),
    )
    with_system = one(system="Be brief.", instruction="Hi", output="")
    assert [message.role for message in with_system.messages] == ["system", "user", "assistant"]


def test_messages_are_taken_as_they_are() -> None:
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
    ]
    assert [message.content for message in one(messages=turns).messages] == ["s", "u", "a"]


def test_an_integer_id_keys_an_example_and_anything_else_leaves_the_row_number() -> None:
    assert one(id=2**64 - 1, instruction="q", output="a").id == 2**64 - 1
    lines = [
        b"",
        b'{"instruction": "q", "output": "a", "id": "name"}',
        b" ",
        b'{"instruction": "q", "output": "a"}',
    ]
    assert [example.id for example in read_examples(lines)] == [0, 1]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[1]", "not a JSON object"),
        (b'{"text": "x", "label": 1}', "its fields: label, text"),
        (b'{"instruction": "q"}', "output is missing"),
        (b'{"instruction": " ", "output": "a"}', "instruction is empty"),
        (b'{"instruction": 5, "output": "a"}', "instruction is not text"),
        (b'{"instruction": "q", "output": "\\ud800"}', "surrogate"),
        (b'{"messages": "hi"}', "not a list of objects"),
        (b'{"messages": []}', "does not end with an answer"),
        (b'{"messages": [{"role": "user", "content": "u"}]}', "does not end with an answer"),
        (b'{"messages": [{"role": "tool", "content": "u"}]}', "role 'tool' is not known"),
        (b'{"messages": [{"role": "assistant"}]}', "content is not text"),
        (b'{"instruction": "q", "output": "a", "id": -1}', "out of range"),
    ],
)
def test_a_line_that_is_no_example_is_refused_by_its_number(line: bytes, problem: str) -> None:
    assert problem in str(refusal(line, before=3))


def test_two_examples_of_one_id_are_refused() -> None:
    line = b'{"instruction": "q", "output": "a", "id": 1}'
    assert "id 1 stands in an earlier line too" in str(refusal(line, before=2))


@given(st.binary(max_size=200))
def test_no_line_whatever_raises_anything_but_a_typed_error(line: bytes) -> None:
    try:
        list(read_examples(line.split(b"\n")))
    except LadError as error:
        assert error.code is ErrorCode.INVALID_DATA


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda leaf: (
            st.lists(leaf, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["messages", "instruction", "input", "output", "system", "id", "role", "content"]
                ),
                leaf,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_whatever_raises_anything_but_a_typed_error(value: Any) -> None:
    try:
        list(read_examples([json.dumps(value).encode()]))
    except LadError as error:
        assert error.code is ErrorCode.INVALID_DATA


def hub(load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    library = types.ModuleType("datasets")
    library.load_dataset = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", library)


SOURCE = HubDataset(name="org/set", config="", split="", revision="", hub_token="", max_examples=2)


def test_a_hub_data_set_is_streamed_and_stored_like_any_other(
    store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def load(name: str, config: Any, **options: Any) -> Any:
        asked.update(options, name=name, config=config)
        return ({"instruction": f"q{n}", "input": None, "output": "a", "extra": object()} for n in range(99))

    hub(load, monkeypatch)
    dataset_id, count = store.read_hub(SOURCE)
    assert count == 2
    assert [example.messages[0].content for example in store.examples(dataset_id)] == ["q0", "q1"]
    assert asked == {
        "name": "org/set",
        "config": None,
        "split": "train",
        "revision": None,
        "token": None,
        "streaming": True,
    }


def test_a_hub_data_sets_rows_keep_the_names_of_their_sources(
    store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"instruction": "q", "output": "a", "source": name} for name in ("flan", "t0")]
    hub(lambda *_, **__: iter(rows), monkeypatch)
    dataset_id, _ = store.read_hub(SOURCE)
    assert [example.source for example in store.examples(dataset_id)] == ["flan", "t0"]


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (RuntimeError("Dataset 'org/set' is a gated dataset on the Hub"), ErrorCode.ACCESS_DENIED),
        (ConnectionError("Couldn't reach the Hub"), ErrorCode.UNAVAILABLE),
        (FileNotFoundError("no such dataset"), ErrorCode.NOT_FOUND),
    ],
)
def test_the_hubs_failures_have_names(
    raised: Exception, code: ErrorCode, store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: Any, **__: Any) -> Any:
        raise raised

    hub(load, monkeypatch)
    with pytest.raises(LadError, match="org/set") as refused:
        store.read_hub(SOURCE)
    assert refused.value.code is code


def test_rows_of_any_columns_are_read_one_by_one_and_what_json_cannot_hold_is_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []

    def load(*_: Any, **__: Any) -> Any:
        for n in range(99):
            read.append(n)
            yield {"question": f"q{n}é", "choices": {"text": ["a"]}, "when": date(2026, 1, 1 + n)}

    hub(load, monkeypatch)
    rows = hub_rows(SOURCE)
    first = json.loads(next(rows))
    assert first == {"question": "q0é", "choices": {"text": ["a"]}, "when": "2026-01-01"}
    assert read == [0]
    assert len(list(rows)) == 1


def test_columns_that_mean_nothing_are_named(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    hub(lambda *_, **__: [{"question": "q", "answer": "a"}], monkeypatch)
    with pytest.raises(LadError, match="its fields: answer, question"):
        store.read_hub(SOURCE)


def test_without_the_library_the_remedy_says_what_to_install(
    store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(LadError, match="--with data") as refused:
        store.read_hub(SOURCE)
    assert refused.value.code is ErrorCode.UNAVAILABLE
