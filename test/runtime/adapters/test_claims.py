"""What an adapter knows of its training: gathered step by step, kept wherever its weights go, read with suspicion."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_backend import base_info
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.noise import NOISES
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.adapters.claims import (
    CLAIMS_FILE,
    check_base,
    claims_file,
    claims_of,
    read_claims_file,
)
from lad_runtime.torch_backend.adapters.peft_format import load_claims, write_adapter
from lad_runtime.torch_backend.adapters.resume import restore
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.training import primitives
from lad_runtime.torch_backend.training.trainer import train
from lad_runtime.types.adapters import AdapterClaims
from lad_runtime.types.data import PreparedExample
from lad_runtime.types.primitives import NoisedExamples
from method_specs import NOISE_BUILDERS, lad_noise, loss_spec, window_spec
from training_support import EXAMPLES, REPORT, drive, new_adapter, noised_batch, tiny_base, training, window
from type_specs import forward_spec, optimizer_spec

CONTRACT = Path(__file__).parents[2] / "contract"
sys.path.insert(0, str(CONTRACT))

import claims_golden  # noqa: E402

GOLDEN = json.loads((CONTRACT / "claims.json").read_text(encoding="utf-8"))

BASE = tiny_base()
LOSS = loss_spec(supervise="all-answer-tokens")
CLAIMS = replace(
    claims_of(
        base_info(chat_template_digest="ab" * 32),
        attention="causal-prefix",
        context="prompt",
        canvas_tokens=0,
        pad_tokens=(),
        noise=lad_noise(),
        loss=LOSS,
        lengths=(60, 60),
    ),
    steps=500,
)


def trained(
    tmp_path: Path, adapter: TrainedAdapter, examples: Sequence[PreparedExample] = EXAMPLES, **options: Any
) -> None:
    spec = training(noise=lad_noise(), loss=LOSS, attention="causal-prefix", steps=2, **options)
    store = CheckpointStore(tmp_path / "store")
    drive(
        train(BASE, adapter, examples, REPORT, spec, None, checkpoints=store, offloads=tmp_path), BASE.model
    )


def sequences() -> Any:
    return noised_batch(BASE, EXAMPLES[:2], lad_noise(), LOSS, 0, 0)


def gather(adapter: TrainedAdapter, **options: Any) -> None:
    drive(primitives.forward_backward(BASE, adapter, sequences(), forward_spec(**options)), BASE.model)


def step(adapter: TrainedAdapter) -> None:
    drive(primitives.optim_step(adapter, optimizer_spec(), 1e-2, 0.5), BASE.model)


def test_an_adapter_that_was_never_trained_claims_nothing(tmp_path: Path) -> None:
    adapter = new_adapter()
    gather(adapter)
    assert adapter.claims is None  # gradients are no training yet
    write_adapter(tmp_path, adapter.adapter, "random", adapter.claims)
    assert load_claims(tmp_path) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_a_run_says_how_it_trained(tmp_path: Path) -> None:
    adapter = new_adapter()
    trained(tmp_path, adapter)
    expected = claims_of(
        BASE.info,
        attention="causal-prefix",
        context="prompt",
        canvas_tokens=0,
        pad_tokens=(),
        noise=lad_noise(),
        loss=LOSS,
        lengths=(len(example.ids) for example in EXAMPLES),
    )
    assert expected.window_tokens == 0
    assert adapter.claims == replace(expected, steps=2)


def test_examples_of_one_length_are_windows_of_that_length(tmp_path: Path) -> None:
    adapter = new_adapter()
    trained(tmp_path, adapter, examples=[window(id, 2 + id, 5, 9 - id) for id in range(4)])
    assert adapter.claims is not None and adapter.claims.window_tokens == 16


def test_the_last_gradients_of_a_step_say_how_it_was_trained(tmp_path: Path) -> None:
    adapter = new_adapter()
    gather(adapter, attention="full")
    gather(adapter, attention="prefix")
    step(adapter)
    sequences_of_ones_own = claims_of(
        BASE.info,
        attention="prefix",
        context="prompt",
        noise=None,
        loss=None,
        lengths=(9, 8),
        canvas_tokens=0,
        pad_tokens=(),
    )
    assert adapter.claims == replace(sequences_of_ones_own, steps=1)
    given_noise = NoisedExamples(
        dataset_id="d",
        context="prompt",
        canvas_tokens=0,
        window=window_spec(window=16),
        noise=lad_noise(),
        loss=LOSS,
        seed=1,
        epoch=0,
        rows=(0, 1),
    )
    forward = forward_spec(attention="causal-prefix")
    drive(primitives.forward_backward_noised(BASE, adapter, EXAMPLES, given_noise, forward), BASE.model)
    assert adapter.claims.attention == "prefix"
    step(adapter)
    expected = claims_of(
        BASE.info,
        attention="causal-prefix",
        context="prompt",
        canvas_tokens=0,
        pad_tokens=(),
        noise=lad_noise(),
        loss=LOSS,
        lengths=(9, 8),
    )
    assert adapter.claims == replace(expected, steps=2)


def test_a_step_without_gradients_counts_and_changes_no_other_claim() -> None:
    adapter = new_adapter()
    gather(adapter, attention="prefix")
    step(adapter)
    before = adapter.claims
    gather(adapter, attention="full")
    adapter.clear_gradients()  # they are never used
    step(adapter)
    assert before is not None and adapter.claims == replace(before, steps=2)


def test_steps_before_the_files_were_written_count() -> None:
    adapter = TrainedAdapter(new_adapter().adapter, claims=CLAIMS)
    gather(adapter)
    step(adapter)
    assert adapter.steps == 1 and adapter.claims is not None and adapter.claims.steps == 501


def test_snapshots_keep_the_claims_of_their_moment() -> None:
    adapter = TrainedAdapter(new_adapter().adapter, claims=CLAIMS)
    snapshot = adapter.snapshot()
    gather(adapter)
    step(adapter)
    assert snapshot.claims == snapshot.snapshot().claims == CLAIMS


def test_checkpoints_keep_the_claims(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.write("mine", TrainedAdapter(new_adapter().adapter, claims=CLAIMS), BASE.info)
    other = new_adapter()
    restore(other, store.read("mine"))
    assert other.claims == CLAIMS
    store.write("untrained", new_adapter(), BASE.info)
    restore(other, store.read("untrained"))
    assert other.claims is None


def test_a_resumed_run_claims_what_an_uninterrupted_one_does(tmp_path: Path) -> None:
    whole, interrupted = new_adapter(), new_adapter()
    trained(tmp_path / "a", whole, checkpoint="run", checkpoint_every_steps=1)
    store = CheckpointStore(tmp_path / "b" / "store")
    spec = training(noise=lad_noise(), loss=LOSS, attention="causal-prefix", checkpoint="run", steps=1)
    drive(
        train(BASE, interrupted, EXAMPLES, REPORT, spec, None, checkpoints=store, offloads=tmp_path),
        BASE.model,
    )
    fresh = new_adapter()
    trained(tmp_path / "b", fresh, checkpoint="run", resume=True)
    assert fresh.claims == whole.claims and whole.claims is not None and whole.claims.steps == 2


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("attention", ["full", "prefix", "causal-prefix", "causal"])
def test_what_is_written_is_read_back(kind: str, attention: Any, tmp_path: Path) -> None:
    claims = replace(CLAIMS, noise=NOISE_BUILDERS[kind](), attention=attention)
    write_adapter(tmp_path, new_adapter().adapter, "random", claims)
    assert load_claims(tmp_path) == claims
    assert load_claims(tmp_path) != replace(claims, steps=501)


def test_claims_of_ones_own_sequences_are_read_back() -> None:
    claims = replace(CLAIMS, noise=None, loss=None, stop_tokens=(), chat_template_digest="")
    assert read_claims_file(claims_file(claims)) == claims


def test_the_file_names_the_fields_of_the_documentation() -> None:
    written = json.loads(claims_file(CLAIMS))
    documentation = (Path(__file__).parents[3] / "docs/adapter-files.md").read_text()
    assert [field for field in written if f"`{field}`" not in documentation] == []


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_claims_json_is_what_is_written_read_and_told(case: dict[str, Any]) -> None:
    written = json.dumps(case["file"]).encode()
    assert json.loads(claims_file(claims_golden.CLAIMS[case["name"]])) == case["file"]
    assert claims_golden.message(read_claims_file(written)) == case["adapter"]


def test_claims_json_has_all_golden_claims() -> None:
    assert claims_golden.FILE.read_text(encoding="utf-8") == claims_golden.document()


def changed(**fields: Any) -> bytes:
    written = json.loads(claims_file(CLAIMS))
    return json.dumps({**written, **fields}).encode()


NESTED = b"[" * 100_000
NOISE = json.loads(claims_file(CLAIMS))["noise"]
LOSS_FILE = json.loads(claims_file(CLAIMS))["loss"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (NESTED, "cannot be read"),
        (b"[]", "not a JSON object"),
        (b"{}", "its format"),
        (changed(format="1"), "its format"),
        (changed(format=True), "its format"),
        (changed(format=0), "its format"),
        (b'{"format": 1}', "base_name is missing"),
        (changed(attention="sideways"), "attention is 'sideways'"),
        (changed(attention=["full"]), "attention is"),
        (changed(context="book"), "context is 'book'"),
        (changed(context="random-split", attention="full"), "context is random-split"),
        (changed(canvas_tokens=16), "canvasTokens is 16"),
        (changed(context="random-split", canvas_tokens=2**20 + 1), "canvasTokens is 1048577"),
        (changed(base_name=7), "base_name is not a text"),
        (changed(base_name="a" * 5000), "base_name is longer"),
        (changed(base_name="\ud800"), "base_name is not valid text"),
        (changed(stop_tokens="[EOS]"), "stop_tokens is not a list"),
        (changed(stop_tokens=["a"] * 65), "stop_tokens is not a list"),
        (changed(stop_tokens=["a", 7]), r"stop_tokens\[1\] is not a text"),
        (changed(steps=-1), "steps"),
        (changed(steps=1.5), "steps is not a whole number"),
        (changed(steps=True), "steps is not a whole number"),
        (changed(steps=2**63), "steps"),
        (changed(chat_template_digest="XY"), "chatTemplateDigest"),
        (changed(noise="lad"), "noise is not an object"),
        (changed(noise={}), "noise.kind is 'None'"),
        (changed(noise={"kind": "pink"}), "noise.kind is 'pink'"),
        (changed(noise={"kind": ["lad"]}), "noise.kind is"),
        (changed(noise={**NOISE, "max_span": "3"}), "noise.max_span is not a whole number"),
        (changed(noise={**NOISE, "swap_scale": float("nan")}), "noise.swap_scale is not a finite number"),
        (changed(noise={**NOISE, "swap_scale": 10**400}), "noise.swap_scale is not a finite number"),
        (changed(noise={**NOISE, "swap_scale": True}), "noise.swap_scale is not a finite number"),
        (changed(noise={**NOISE, "tail_noise": 1}), "noise.tail_noise is not true or false"),
        (changed(noise={**NOISE, "mask_probability": 2.0}), "noise.maskProbability"),
        (changed(noise={**NOISE, "hue": 1}), "noise.hue is not known"),
        (changed(loss={"supervise": "all-tokens"}), "loss.tail is missing"),
        (changed(loss=[]), "loss is not an object"),
        (changed(loss={**LOSS_FILE, "tail_weight": 0}), "loss.tailWeight"),
        (changed(loss={**LOSS_FILE, "tail_weight": "1"}), "loss.tail_weight is not a finite number"),
        (changed(pad_tokens=["a", 7]), r"pad_tokens\[1\] is not a text"),
        (changed(**{"x\ud800": 1}), "is not known"),
    ],
)
def test_a_file_that_is_damaged_is_refused_by_name(content: bytes, problem: str) -> None:
    with pytest.raises(LadError, match=problem) as refused:
        read_claims_file(content)
    assert refused.value.code is ErrorCode.INVALID_FILE
    assert CLAIMS_FILE in refused.value.message and CLAIMS_FILE in refused.value.remedy
    refused.value.message.encode()  # which goes into a message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=300)
@given(field=st.sampled_from(list(json.loads(claims_file(CLAIMS)))), value=JSON)
def test_any_value_of_any_field_is_read_or_refused(field: str, value: Any) -> None:
    try:
        read = read_claims_file(changed(**{field: value}))
    except LadError as error:
        assert error.code in (ErrorCode.INVALID_FILE, ErrorCode.VERSION_MISMATCH)
        error.message.encode()
    else:
        assert isinstance(read, AdapterClaims)
        assert read_claims_file(claims_file(read)) == read


@settings(deadline=None, max_examples=100)
@given(content=st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(LadError, match=CLAIMS_FILE):
        read_claims_file(content)


def test_a_file_of_the_first_format_claims_what_its_absent_fields_meant() -> None:
    now = json.loads(claims_file(CLAIMS))
    del now["pad_tokens"], now["loss"]["tail_weight"]
    read = read_claims_file(json.dumps({**now, "format": 1}).encode())
    assert read.pad_tokens == () and read.loss is not None and read.loss.tail_weight == 1.0
    assert read == CLAIMS
    without = read_claims_file(json.dumps({**now, "format": 1, "loss": None}).encode())
    assert without == replace(CLAIMS, loss=None)


def test_a_newer_format_is_told_from_damage() -> None:
    with pytest.raises(LadError, match="newer than this worker's") as refused:
        read_claims_file(changed(format=10**50))
    assert refused.value.code is ErrorCode.VERSION_MISMATCH


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / CLAIMS_FILE).write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(LadError, match="longer than 1 MiB"):
        load_claims(tmp_path)


def test_a_checkpoint_with_damaged_claims_is_passed_over(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    damaged = replace(CLAIMS, base_name="a" * 5000)  # longer than any that is read
    store.write("mine", TrainedAdapter(new_adapter().adapter, claims=damaged), BASE.info)
    with pytest.raises(LadError, match="damaged") as refused:
        store.read("mine")
    assert refused.value.code is ErrorCode.INVALID_FILE


def test_another_revision_is_another_base_whatever_its_name() -> None:
    check_base(replace(CLAIMS, base_name="a copy of it"), base_info())
    with pytest.raises(LadError, match="trained on fake of revision r1, not on fake of r2") as refused:
        check_base(CLAIMS, base_info(revision="r2"))
    assert refused.value.code is ErrorCode.INVALID_STATE and "allowOtherBase" in refused.value.remedy
