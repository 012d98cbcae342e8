"""Bases: loads a model folder as a resident model with its tokenizer."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.files.model_files import read_json, small_files
from lad_runtime.torch_backend.forward.prefix_cache import Prompts
from lad_runtime.torch_backend.kernel_choice.matmul_choice import choose_kernels
from lad_runtime.torch_backend.kernels.device import memory_error, threads_for
from lad_runtime.torch_backend.kernels.elementwise import EAGER
from lad_runtime.torch_backend.loading.base_files import REGISTRY, BaseEntry, BaseSource, files_of, source_of
from lad_runtime.torch_backend.loading.layouts import layout_of
from lad_runtime.torch_backend.loading.weights import StoredWeights
from lad_runtime.torch_backend.model.config import PROJECTIONS
from lad_runtime.torch_backend.model.layers import weight_count
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.tokenizer.tokenizer import Tokenizer
from lad_runtime.torch_backend.tokenizer.tokenizer_files import load_tokenizer
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.bases import BaseInfo, BaseSpec, DTypeName, LoadProgress, MatrixKernel

MAX_RANK = 1024
"""The highest LoRA rank; beyond it there is no use, and no limit but memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Base:
    """A frozen model on the device, its tokenizer, and a cache of prompts."""

    info: BaseInfo
    model: Llama
    tokenizer: Tokenizer
    source: BaseSource = field(default_factory=BaseSource)
    files: dict[str, bytes] = field(default_factory=dict)
    """The files beside the weights, as they were read; a chat template that was given in place of theirs."""
    prompts: Prompts = field(default_factory=Prompts)

    def close(self) -> None:
        """Ends the base's processes."""
        self.tokenizer.close()


def load_base(
    spec: BaseSpec,
    device: torch.device | str,
    progress: Callable[[LoadProgress], None],
    admit: Callable[[int], None] = lambda _: None,
    threads: int = 0,
) -> Base:
    """Finds, fetches or makes the files of `spec.name`, and loads them onto `device`.

    Calls `admit` with the bytes of the weights before it copies any; `admit` may raise. On the CPU it chooses the matmul kernels
    for so many `threads` (0: by the base's size). With `spec.compile` it compiles the elementwise kernels, which takes
    `info.compile_seconds`. `spec.dtype` auto is float32 on the CPU and bfloat16 elsewhere. Raises LadError: NOT_FOUND,
    ACCESS_DENIED or UNAVAILABLE for a base that cannot be fetched, INVALID_FILE for damaged or unsafe files, UNSUPPORTED_MODEL,
    INVALID_OPTION (`maskToken`, `chatTemplate`, `dataType`, `revision`, `compile`), OUT_OF_MEMORY, STORAGE.
    """
    device = torch.device(device)
    dtype = _dtype(spec, device)
    entry = REGISTRY.get(spec.name, BaseEntry())
    with _machine_errors_named(spec.name), files_of(spec, progress) as files:
        folder = files.folder
        layout = layout_of(read_json(folder, "config.json"), is_archive=files.archive is not None)
        config = layout.config
        small = small_files(folder)
        if spec.chat_template:
            small["chat_template.jinja"] = spec.chat_template.encode()
        tokenizer = load_tokenizer(
            folder,
            mask_token=spec.mask_token or entry.mask_token,
            chat_template=spec.chat_template or entry.chat_template,
            system_prompt=entry.system_prompt if spec.system_prompt is None else spec.system_prompt,
        )
        try:
            if tokenizer.vocab_size > config.vocab_size:
                raise LadError(
                    ErrorCode.INVALID_FILE,
                    f"The tokenizer has {tokenizer.vocab_size} tokens, and the model {config.vocab_size}.",
                    remedy="Get config.json and tokenizer.json from the same revision.",
                )
            with StoredWeights(
                folder,
                config,
                dtype=dtype,
                progress=progress,
                archive=files.archive,
                renamed=layout.renamed,
            ) as stored:
                config = stored.config
                weights = weight_count(config)
                admit(dtype.itemsize * weights)
                ways = choose_kernels(
                    config, device=device, dtype=dtype, threads=threads or threads_for(weights)
                )
                kernels, seconds = EAGER, 0.0
                if spec.compile:
                    # Imported here alone: it loads torch's compiler.
                    from lad_runtime.torch_backend.model.compiled_elementwise import compiled_kernels

                    kernels, seconds = compiled_kernels(config, device, dtype)
                model = Llama(
                    config, stored, device=device, dtype=dtype, kernels=kernels, matrix_kernels=ways
                )
        except BaseException:
            tokenizer.close()
            raise
    warnings = (*tokenizer.warnings, *stored.warnings)
    info = _info(spec, files.revision, model, tokenizer, seconds, ways, warnings, layout.attention)
    source = source_of(spec, files, is_llama=layout.is_llama)
    return Base(info=info, model=model, tokenizer=tokenizer, source=source, files=small)


def _dtype(spec: BaseSpec, device: torch.device) -> torch.dtype:
    if spec.dtype == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[spec.dtype]


@contextmanager
def _machine_errors_named(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LadError(
            ErrorCode.STORAGE,
            f"The files of the base {name} cannot be read or written: {error.strerror or error}.",
            option="base",
            value=name,
            remedy="Check that the folder can be read, and that there is room for temporary files.",
        ) from error
    except (MemoryError, RuntimeError) as error:  # torch's memory errors are RuntimeErrors
        if not isinstance(error, MemoryError) and memory_error(error) is None:
            raise
        raise LadError(
            ErrorCode.OUT_OF_MEMORY,
            f"The base {name} does not fit into memory.",
            option="base",
            value=name,
            remedy="Unload another base, use a smaller one, or load it as bfloat16.",
        ) from error


def _info(
    spec: BaseSpec,
    revision: str,
    model: Llama,
    tokenizer: Tokenizer,
    compile_seconds: float,
    ways: tuple[MatrixKernel, ...],
    warnings: tuple[str, ...],
    attention: AttentionMode | None,
) -> BaseInfo:
    config = model.config
    dtype = cast(DTypeName, str(model.dtype).removeprefix("torch."))
    slug = re.sub(r"[^A-Za-z0-9]+", "-", Path(spec.name).name).strip("-")[:32] or "base"
    return BaseInfo(
        id=f"{slug}-{revision[:12]}-{dtype}",
        name=spec.name,
        revision=revision,
        parameter_count=model.parameter_count,
        nbytes=model.nbytes,
        dtype=dtype,
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        num_kv_heads=config.num_kv_heads,
        max_positions=config.max_positions,
        projections=PROJECTIONS,
        max_rank=MAX_RANK,
        mask_token=tokenizer.mask_token,
        mask_token_id=tokenizer.mask_token_id,
        eos_token=tokenizer.eos_token,
        eos_token_id=tokenizer.eos_token_id,
        other_stops=tokenizer.stop_tokens[1:],
        system_prompt=tokenizer.system_prompt,
        has_chat_template=tokenizer.has_template,
        chat_template_digest=tokenizer.template_digest,
        compile_seconds=compile_seconds,
        warnings=warnings,
        attention=attention,
        kernels=ways,
    )
