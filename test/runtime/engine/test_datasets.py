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
from lad_runtime.types.data import Example, HubDataset, Message, ReadColumn

TWO = b'{"instruction": "1 + 1", "output": "2"}\n{"instruction": "2 + 2", "output": "4"}\n'


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


TURNS = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]


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


def test_wrong_lines_are_told_together_ten_of_them_and_how_many_there_are(store: DatasetStore) -> None:
    good = b'{"instruction": "q", "output": "a"}\n'
    with pytest.raises(LadError) as refused:
        uploaded(store, good + b"[]\n" + good + b'\n{"instruction": "q"}\n' + good)
    assert refused.value.message == (
        "Line 2 of the data: it is not a JSON object. 1 more line is wrong: line 5: output is missing."
    )
    assert refused.value.remedy.startswith("Write ")
    with pytest.raises(LadError) as refused:
        uploaded(store, b"[]\n" * 25)
    told = refused.value.message
    assert "24 more lines are wrong, among them line 2: it is not a JSON object; line 3: " in told
    assert "; line 10: it is not a JSON object." in told and "line 11" not in told
    with pytest.raises(LadError, match=r"^Line 2 of the data: id 0 stands in an earlier line too"):
        uploaded(store, b'{"instruction": "q", "output": "a", "id": 0}\n' * 2)
    with pytest.raises(LadError, match=r"^Line 1 of the data: it is not a JSON object\. Write"):
        uploaded(
            store, b'[]\n{"instruction": "q", "output": "a", "id": 1}\n' + good.replace(b"}", b', "id": 0}')
        )


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


def test_a_whole_number_keys_an_example_however_it_is_written_and_its_row_number_where_none_is() -> None:
    for written in (b"7", b"7.0", b'"7"', b"70e-1"):
        line = b'{"instruction": "q", "output": "a", "id": %s}' % written
        assert [example.id for example in read_examples([line])] == [7]
    for largest in (2**64 - 1, str(2**64 - 1)):
        assert one(id=largest, instruction="q", output="a").id == 2**64 - 1
    lines = [b"", b'{"instruction": "q", "output": "a", "id": null}', b" ", TWO.splitlines()[0]]
    assert [example.id for example in read_examples(lines)] == [0, 1]


@pytest.mark.parametrize(
    "written", ['"name"', "7.5", '"7.0"', '" 7"', '"-1"', '"٧"', "true", "[7]", "NaN", '"' + "9" * 21 + '"']
)
def test_an_id_that_is_no_whole_number_is_refused_by_name(written: str) -> None:
    line = f'{{"instruction": "q", "output": "a", "id": {written}}}'.encode()
    assert "id " in str(refusal(line)) and "is no whole number" in str(refusal(line))


def test_a_weight_says_how_many_times_an_examples_loss_counts() -> None:
    weights = [one(instruction="q", output="a", weight=weight).weight for weight in (0, 2, 0.5, None)]
    assert weights == [0.0, 2.0, 0.5, 1.0]
    assert one(instruction="q", output="a").weight == 1.0
    assert one(messages=TURNS, weight=3).weight == 3.0


@pytest.mark.parametrize("written", ['"2"', "-1", "NaN", "Infinity", "true", "1e300", "[]"])
def test_a_weight_that_is_no_number_of_at_least_0_is_refused_by_name(written: str) -> None:
    line = f'{{"instruction": "q", "output": "a", "weight": {written}}}'.encode()
    assert f"weight {written} is no finite number of at least 0" in str(refusal(line)).replace(
        "e+300", "e300"
    )


@pytest.mark.parametrize(
    ("row", "key", "remedy"),
    [
        ({"inptu": "x"}, "inptu", "Did you mean input?"),
        ({"Input": "x"}, "Input", "Did you mean input?"),
        ({"sysetm": "x"}, "sysetm", "Did you mean system?"),
        ({"weigth": 0}, "weigth", "Did you mean weight?"),
        ({"sample_weight": 0}, "sample_weight", "Did you mean weight?"),
        ({"soruce": "web"}, "soruce", "Did you mean source?"),
        ({"context": "x"}, "context", "Did you mean input?"),
        ({"system_prompt": "x"}, "system_prompt", "Did you mean system?"),
        ({"tools": [{"name": "f"}]}, "tools", "into the system message"),
    ],
)
def test_a_key_that_would_change_what_is_learnt_is_refused_by_line_and_key(
    row: dict[str, Any], key: str, remedy: str
) -> None:
    refused = refusal(json.dumps({"instruction": "q", "output": "a", **row}).encode(), before=4)
    assert f"there is no key {key}" in refused.message and remedy in str(refused)


def test_the_refusal_of_a_key_says_how_to_read_it_as_what_it_means() -> None:
    answered = refusal(b'{"instruction": "q", "response": "a", "id": 3}')
    assert str(answered).endswith(
        "Did you mean output? To read it so, give the source "
        'fields: { instruction: "instruction", output: "response", id: "id" }.'
    )
    asked = refusal(b'{"question": "q", "answer": "a", "level": 1}')
    assert 'Give the source fields: { instruction: "question", output: "answer" }' in str(asked)
    told = refusal(b'{"conversations": []}')
    assert 'Give the source fields: { messages: "conversations" }' in str(told)


@pytest.mark.parametrize(
    "row",
    [
        {"source": "web", "idx": 3, "uid": "a", "category": "qa", "label": 2},
        {
            "input": "x",
            "inputs": "y",
            "answer": "C",
            "prompt": "p",
            "outputs": ["a"],
        },  # beside what they mean
        {"resource": "web", "dataset": "d", "tools": [], "inptu": None},
    ],
)
def test_columns_that_mean_nothing_to_training_are_ignored(row: dict[str, Any]) -> None:
    example = one(instruction="q", output="a", **row)
    assert example.messages[-1].content == "a" and example.weight == 1.0


def test_a_chat_is_read_without_its_other_columns_but_for_what_its_answers_depend_on() -> None:
    assert one(messages=TURNS, prompt="p", prompt_id="x", category="qa").messages[0].content == "u"
    assert "system stands beside messages" in str(
        refusal(json.dumps({"messages": TURNS, "system": "Be brief."}).encode())
    )
    led = [{"role": "system", "content": "s"}, *TURNS]
    assert one(messages=led, system="s").messages[0].content == "s"


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        ({"role": "assistant", "content": "a", "weight": 0}, "a message has no key weight"),
        ({"role": "assistant", "content": "a", "tool_calls": [1]}, "a message has no key tool_calls"),
        ({"role": "assistant", "contnet": "a"}, "Did you mean content?"),
    ],
)
def test_keys_of_a_message_are_refused_alike(turn: dict[str, Any], text: str) -> None:
    assert text in str(refusal(json.dumps({"messages": [TURNS[0], turn]}).encode()))
    plain = {"role": "assistant", "content": "a", "name": "Bob", "tool_calls": None}
    assert one(messages=[TURNS[0], plain]).messages[-1].content == "a"


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


COLUMNS = (
    ReadColumn(field="instruction", column="question"),
    ReadColumn(field="output", column="answer"),
    ReadColumn(field="weight", column="w"),
)


def test_columns_that_are_named_are_read_and_no_others_from_a_file_and_the_hub_alike(
    store: DatasetStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"question": "é q0", "answer": "a", "w": 2, "id": "x", "output": "not this"},
        {"question": "q1", "answer": "b", "w": None},
    ]
    path = tmp_path / "data.jsonl"
    path.write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8-sig")
    hub(lambda *_, **__: rows, monkeypatch)
    for dataset_id, count in (
        store.read_file(str(path), columns=COLUMNS),
        store.read_hub(SOURCE, columns=COLUMNS),
    ):
        assert count == 2
        examples = list(store.examples(dataset_id))
        assert [turn.content for example in examples for turn in example.messages] == ["é q0", "a", "q1", "b"]
        assert [(example.id, example.weight) for example in examples] == [(0, 2.0), (1, 1.0)]


def test_a_line_without_a_named_column_or_that_is_no_row_is_refused_by_its_number(
    store: DatasetStore, tmp_path: Path
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"question": "q", "answer": "a"}\n\n{"question": "q", "reply": "a"}\n')
    with pytest.raises(LadError, match="Line 3 of the data: there is no column answer") as refused:
        store.read_file(str(path), columns=COLUMNS)
    assert "(its columns: question, reply)" in str(refused.value)
    path.write_bytes(b'{"question": "q", "answer": "a"}\n{')
    with pytest.raises(LadError, match="Line 2 of the data: it is not JSON"):
        store.read_file(str(path), columns=COLUMNS)


def test_a_hubs_column_that_may_not_be_ignored_is_refused_though_it_is_not_stored(
    store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub(lambda *_, **__: [{"instruction": "q", "output": "a", "context": "c"}], monkeypatch)
    with pytest.raises(LadError, match=r"Line 1 of the data: there is no key context. Did you mean input"):
        store.read_hub(SOURCE)


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
