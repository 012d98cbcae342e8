"""Converts a GGUF file of a Llama to a Hugging Face model folder (safetensors, tokenizer.json, config.json).

transformers, which the worker does not need, reads such files too, but splits numbers differently from the file's tokenizer.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import tokenizers
from safetensors.torch import save_file
from tokenizers import AddedToken, decoders, models, pre_tokenizers
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.loading.gguf import GgufFile, open_gguf
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.layers import tensor_shapes
from lad_runtime.types.bases import LoadProgress

_CONTROL, _USER_DEFINED = 3, 4  # GGUF's kinds of token outside the byte-pair encoding


def convert_gguf(path: Path, folder: Path, progress: Callable[[LoadProgress], None]) -> None:
    """Converts the GGUF file `path` into the empty `folder`, with weights in float32 (dequantized values need it).

    Reports the phase `convert` in bytes of the GGUF file. Raises INVALID_FILE for a damaged file, UNSUPPORTED_MODEL for an
    unsupported architecture, tokenizer or quantisation.
    """
    file = open_gguf(path)
    config = _config(file)
    weights = _weights(file, config, progress)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer, settings = _tokenizer(file)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    ids = {"eos_token_id": file.metadata["tokenizer.ggml.eos_token_id"]}
    _write_json(folder / "tokenizer_config.json", settings)
    _write_json(folder / "config.json", config.to_hf() | ids)


def _config(file: GgufFile) -> LlamaConfig:
    values = file.metadata
    if values.get("general.architecture") != "llama":
        raise _unsupported(f"its architecture is {values.get('general.architecture')!r}")
    try:
        heads = values["llama.attention.head_count"]
        hidden = values["llama.embedding_length"]
        return LlamaConfig(
            vocab_size=len(values["tokenizer.ggml.tokens"]),
            hidden_size=hidden,
            intermediate_size=values["llama.feed_forward_length"],
            num_layers=values["llama.block_count"],
            num_heads=heads,
            num_kv_heads=values.get("llama.attention.head_count_kv", heads),
            head_dim=values.get("llama.rope.dimension_count", hidden // heads),
            rms_norm_eps=float(f"{values['llama.attention.layer_norm_rms_epsilon']:.6g}"),  # from a float32
            rope_theta=values.get("llama.rope.freq_base", 10000.0),
            max_positions=values["llama.context_length"],
            tied="output.weight" not in file.tensors,
        )
    except KeyError as missing:
        raise _damaged(f"it lacks {missing.args[0]}") from missing
    except (TypeError, ValueError, ZeroDivisionError) as wrong:
        raise _damaged(f"a size in it is not a number ({wrong})") from wrong


def _weights(
    file: GgufFile, config: LlamaConfig, progress: Callable[[LoadProgress], None]
) -> dict[str, Tensor]:
    if config.num_layers > len(file.tensors):
        raise _damaged(f"it has {config.num_layers} layers and {len(file.tensors)} tensors")
    left, weights = dict(file.tensors), {}
    total, done = sum(tensor.nbytes for tensor in file.tensors.values()), 0
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_layers)
    for target, shape in tensor_shapes(config).items():
        name = names.get_name(target, try_suffixes=(".weight",))
        tensor = left.pop(name, None)
        if tensor is None:
            raise _damaged(f"it lacks {target}")
        if tensor.shape != shape:
            raise _damaged(f"{name} has shape {tensor.shape}, and its sizes call for {shape}")
        weights[target] = _in_halves(name, tensor.read(), config)
        done += tensor.nbytes
        progress(LoadProgress(phase="convert", done=done, total=total))
    if left:
        raise _unsupported(f"it holds the tensor {min(left)[:80]!r}")
    return weights


def _in_halves(name: str, weight: Tensor, config: LlamaConfig) -> Tensor:
    """Puts the halves of each head's query and key rows apart, as Hugging Face has them: GGUF interleaves the rows, so that the
    two that rotate together are adjacent."""
    heads = {"attn_q": config.num_heads, "attn_k": config.num_kv_heads}.get(name.split(".")[-2])
    if heads is None:
        return weight
    rows, columns = weight.shape
    return weight.view(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)


def _tokenizer(file: GgufFile) -> tuple[tokenizers.Tokenizer, dict[str, Any]]:
    values = file.metadata
    kind = values.get("tokenizer.ggml.model"), values.get("tokenizer.ggml.pre")
    if kind != ("gpt2", "smollm"):
        raise _unsupported(f"its tokenizer is {kind[0]!r} with pre-tokenizer {kind[1]!r}")
    try:
        tokens, kinds = values["tokenizer.ggml.tokens"], values["tokenizer.ggml.token_type"]
        merges = [tuple(merge.split(" ", 1)) for merge in values["tokenizer.ggml.merges"]]
        settings = {
            f"{name}_token": tokens[values[f"tokenizer.ggml.{key}_token_id"]]
            for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding"))
            if name == "eos" or f"tokenizer.ggml.{key}_token_id" in values
        }
        settings["chat_template"] = values.get("tokenizer.chat_template", "")
        vocabulary = {token: index for index, token in enumerate(tokens)}
        tokenizer = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    except KeyError as missing:
        raise _damaged(f"it lacks {missing.args[0]}") from missing
    except Exception as wrong:  # the tokenizers library raises a bare Exception for inconsistent merges
        raise _damaged(f"its tokenizer cannot be built ({str(wrong)[:120]})") from wrong
    # GGUF's pre-tokenizer `smollm`: every digit is split off, then GPT-2's byte-level words.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    added = [
        AddedToken(token, special=kind == _CONTROL, normalized=False)
        for token, kind in zip(tokens, kinds, strict=False)
        if kind in (_CONTROL, _USER_DEFINED)
    ]
    tokenizer.add_tokens(added)
    return tokenizer, settings


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _damaged(problem: str) -> LadError:
    return LadError(
        ErrorCode.INVALID_FILE, f"The GGUF file cannot be used: {problem}.", remedy="Get the file again."
    )


def _unsupported(problem: str) -> LadError:
    return LadError(
        ErrorCode.UNSUPPORTED_MODEL,
        f"This GGUF file is not supported: {problem}.",
        remedy="Use the model's safetensors files.",
    )
