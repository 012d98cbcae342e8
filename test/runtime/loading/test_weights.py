"""Weights of model folders: whole and sharded, tied and untied, any of three kinds; and what is said about bad ones."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.loading.stub import CONFIG, write_stub
from lad_runtime.torch_backend.loading.weights import StoredWeights
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.layers import tensor_shapes
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.types.bases import LoadProgress

INDEX = "model.safetensors.index.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_stub(tmp_path, seed=3)
    return tmp_path


def read(
    folder: Path,
    config: LlamaConfig = CONFIG,
    dtype: torch.dtype = torch.float32,
    progress: Callable[[LoadProgress], None] = lambda event: None,
) -> dict[str, Tensor]:
    with StoredWeights(folder, config, dtype=dtype, progress=progress) as stored:
        return {name: tensor.to(dtype, copy=True) for name, tensor in stored.items()}


def change(folder: Path, **tensors: Tensor | None) -> None:
    """Saves the stub's weights again; a name is written with two underscores for a dot, and None leaves it out."""
    weights = load_file(folder / "model.safetensors")
    for name, value in tensors.items():
        weights.pop(name.replace("__", "."), None)
        if value is not None:
            weights[name.replace("__", ".")] = value
    save_file(weights, folder / "model.safetensors")


def shard(folder: Path, shards: int = 3) -> list[Path]:
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    paths = [folder / f"model-{n + 1:05}-of-{shards:05}.safetensors" for n in range(shards)]
    mapping = {name: paths[index % shards].name for index, name in enumerate(weights)}
    for path in paths:
        save_file({name: weights[name] for name, place in mapping.items() if place == path.name}, path)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": mapping}))
    return paths


def test_all_weights_are_read_and_progress_ends_at_all_bytes(folder: Path) -> None:
    events: list[LoadProgress] = []
    weights = read(folder, progress=events.append)
    expected = load_file(folder / "model.safetensors")
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert events[0].done == 0 and events[-1].done == events[-1].total
    assert events[-1].total == 4 * sum(tensor.numel() for tensor in weights.values())
    assert [event.done for event in events] == sorted(event.done for event in events)


def test_shards_give_the_same_weights_as_one_file(folder: Path) -> None:
    whole = read(folder)
    shard(folder)
    parts = read(folder)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("wanted", [torch.float32, torch.bfloat16, torch.float16])
def test_any_kind_is_converted_to_the_one_wanted(
    folder: Path, stored: torch.dtype, wanted: torch.dtype
) -> None:
    original = load_file(folder / "model.safetensors")
    save_file({name: tensor.to(stored) for name, tensor in original.items()}, folder / "model.safetensors")
    weights = read(folder, dtype=wanted)
    assert all(torch.equal(weights[name], original[name].to(stored).to(wanted)) for name in original)


def test_an_untied_head_is_read_and_a_tied_ones_copy_is_not(folder: Path) -> None:
    head = torch.randn(CONFIG.vocab_size, CONFIG.hidden_size)
    change(folder, lm_head__weight=head)
    assert torch.equal(read(folder, replace(CONFIG, tied=False))["lm_head.weight"], head)
    change(
        folder, lm_head__weight=load_file(folder / "model.safetensors")["model.embed_tokens.weight"].clone()
    )
    assert "lm_head.weight" not in read(folder)


def stored(folder: Path, config: LlamaConfig = CONFIG, dtype: torch.dtype = torch.float32) -> StoredWeights:
    return StoredWeights(folder, config, dtype=dtype, progress=lambda event: None)


def test_a_head_that_differs_from_the_embeddings_it_is_said_to_be_is_used_and_told(folder: Path) -> None:
    head = load_file(folder / "model.safetensors")["model.embed_tokens.weight"].clone()
    head[-1, -1] += 1
    change(folder, lm_head__weight=head)
    with stored(folder) as weights:
        assert weights.config == replace(CONFIG, tied=False)
        assert torch.equal(weights["lm_head.weight"], head)
        assert ["lm_head.weight" in warning for warning in weights.warnings] == [True]


def test_a_head_in_another_shard_than_the_embeddings_is_compared_too(folder: Path) -> None:
    change(folder, lm_head__weight=torch.zeros(CONFIG.vocab_size, CONFIG.hidden_size))
    shard(folder)
    with stored(folder) as weights:
        assert not weights.config.tied


def test_a_tied_heads_copy_is_compared_as_it_will_be_computed_with(folder: Path) -> None:
    embedding = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    change(folder, lm_head__weight=embedding.bfloat16())
    with stored(folder, dtype=torch.bfloat16) as weights:
        assert weights.config.tied and weights.warnings == ()
    with stored(folder) as weights:
        assert not weights.config.tied


def test_a_head_of_another_shape_than_the_embeddings_is_named(folder: Path) -> None:
    change(folder, lm_head__weight=torch.zeros(3, CONFIG.hidden_size))
    with pytest.raises(LadError, match=r"lm_head\.weight has shape \(3, 16\)") as caught:
        read(folder)
    assert caught.value.code is ErrorCode.INVALID_FILE


def test_an_untied_head_that_is_missing_is_named_with_both_remedies(folder: Path) -> None:
    with pytest.raises(LadError, match=r"no lm_head\.weight.*Set tie_word_embeddings to true") as caught:
        read(folder, replace(CONFIG, tied=False))
    assert caught.value.code is ErrorCode.INVALID_FILE


def test_rotary_frequencies_of_old_files_are_left_out(folder: Path) -> None:
    change(folder, model__layers__0__self_attn__rotary_emb__inv_freq=torch.ones(2))
    assert read(folder).keys() == tensor_shapes(CONFIG).keys()


def test_the_model_does_not_change_with_the_file_afterwards(folder: Path) -> None:
    with StoredWeights(folder, CONFIG, dtype=torch.float32, progress=lambda event: None) as stored:
        model = Llama(CONFIG, stored)
    before = {name: tensor.clone() for name, tensor in model.weights.items()}
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(4000)
        file.write(b"\xff" * 3000)
    assert all(torch.equal(model.weights[name], before[name]) for name in before)


def test_a_name_that_is_not_a_weight_is_a_key_error(folder: Path) -> None:
    with StoredWeights(folder, CONFIG, dtype=torch.float32, progress=lambda event: None) as stored:
        assert len(stored) == len(tensor_shapes(CONFIG))
        with pytest.raises(KeyError):
            stored["lm_head.weight"]


def truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def garbage(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x80\x02pickle?" * 100)


def huge_header(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes((2**60).to_bytes(8, "little") + path.read_bytes()[8:])


def empty(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def a_folder(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()


def missing_shard(folder: Path) -> None:
    shard(folder)[1].unlink()


def truncated_shard(folder: Path) -> None:
    path = shard(folder)[2]
    path.write_bytes(path.read_bytes()[:-1])


def shard_of_another_model(folder: Path) -> None:
    first, second, _ = shard(folder)
    shutil.copy(first, second)


def index_that_is_no_json(folder: Path) -> None:
    shard(folder)
    (folder / INDEX).write_text("{")


def index_without_a_map(folder: Path) -> None:
    shard(folder)
    (folder / INDEX).write_text("{}")


def index_to(target: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        shard(folder)
        (folder / INDEX).write_text(json.dumps({"weight_map": {"model.norm.weight": target}}))

    act.__name__ = f"index_to {target}"
    return act


def shard_that_is_a_link_outside(folder: Path) -> None:
    path = shard(folder)[0]
    outside = folder.parent / f"{folder.name}-outside.safetensors"
    path.rename(outside)
    path.symlink_to(outside)


def pickle_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def missing_tensor(folder: Path) -> None:
    change(folder, model__layers__1__mlp__up_proj__weight=None)


def wrong_shape(folder: Path) -> None:
    change(folder, model__norm__weight=torch.ones(17))


def not_a_number(folder: Path) -> None:
    change(folder, model__norm__weight=torch.full((16,), float("nan")))


def infinite(folder: Path) -> None:
    change(folder, model__norm__weight=torch.full((16,), float("-inf")))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (truncated, r"model\.safetensors cannot be used: .*incomplete.* Get the file again"),
        (garbage, r"model\.safetensors cannot be used"),
        (huge_header, r"model\.safetensors cannot be used: .*header too large"),
        (empty, r"model\.safetensors cannot be used: .*header too small"),
        (a_folder, "neither model.safetensors nor"),
        (missing_shard, r"it names model-00002-of-00003\.safetensors, which is missing"),
        (truncated_shard, r"model-00003-of-00003\.safetensors cannot be used"),
        (shard_of_another_model, r"model-00002-of-00003\.safetensors cannot be used: it holds .* already"),
        (index_that_is_no_json, r"index\.json cannot be read"),
        (index_without_a_map, "no weight_map"),
        (index_to("../secret.safetensors"), "outside the model's folder"),
        (index_to("/etc/passwd"), "outside the model's folder"),
        (index_to("a/../../b.safetensors"), "outside the model's folder"),
        (index_to(".."), "outside the model's folder"),
        (index_to("model-00001-of-00003.bin"), "not a safetensors file"),
        (shard_that_is_a_link_outside, "outside the model's folder"),
        (pickle_only, r"only pytorch_model\.bin: a pickle can run code"),
        (no_weights, "neither model.safetensors nor"),
        (missing_tensor, r"lack the tensor model\.layers\.1\.mlp\.up_proj\.weight"),
        (wrong_shape, r"model\.norm\.weight has shape \(17,\), and config\.json calls for \(16,\)"),
        (not_a_number, r"model\.norm\.weight holds values that are not finite"),
        (infinite, r"model\.norm\.weight holds values that are not finite"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_bad_file_is_named_with_the_problem(
    folder: Path, damage: Callable[[Path], None], problem: str
) -> None:
    damage(folder)
    with pytest.raises(LadError, match=problem) as caught:
        read(folder)
    assert caught.value.code is ErrorCode.INVALID_FILE
    assert caught.value.remedy


def test_tensors_that_a_llama_has_no_place_for_are_not_supported(folder: Path) -> None:
    change(folder, model__layers__0__self_attn__q_proj__bias=torch.ones(16))
    with pytest.raises(LadError, match=r"self_attn\.q_proj\.bias") as caught:
        read(folder)
    assert caught.value.code is ErrorCode.UNSUPPORTED_MODEL


def test_a_name_that_looks_like_a_path_is_only_a_name(folder: Path) -> None:
    change(folder, **{"../../evil": torch.ones(1)})
    with pytest.raises(LadError, match=r"\.\./\.\./evil"):
        read(folder)


def test_quantised_tensors_are_not_supported(folder: Path) -> None:
    change(folder, model__norm__weight=torch.ones(16, dtype=torch.int8))
    with pytest.raises(LadError, match="of kind I8") as caught:
        read(folder)
    assert caught.value.code is ErrorCode.UNSUPPORTED_MODEL


def test_values_beyond_the_range_of_the_kind_wanted_are_an_option_error(folder: Path) -> None:
    change(folder, model__norm__weight=torch.full((16,), 1e6))
    with pytest.raises(LadError, match="dataType is float16") as caught:
        read(folder, dtype=torch.float16)
    assert caught.value.code is ErrorCode.INVALID_OPTION
    assert read(folder, dtype=torch.bfloat16)["model.norm.weight"][0] > 9e5


def test_an_absurd_number_of_layers_is_refused_before_anything_is_made(folder: Path) -> None:
    with pytest.raises(LadError, match="more than the weights"):
        read(folder, replace(CONFIG, num_layers=10**12))


def test_links_inside_a_hub_cache_are_followed(folder: Path) -> None:
    model = folder / "models--owner--name"
    blobs, snapshot = model / "blobs", model / "snapshots" / "0123abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (folder / "model.safetensors").rename(blobs / "digest")
    (snapshot / "model.safetensors").symlink_to("../../blobs/digest")
    assert read(snapshot).keys() == tensor_shapes(CONFIG).keys()
