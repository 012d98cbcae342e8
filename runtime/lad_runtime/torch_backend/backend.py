"""The torch backend: implements the engine's protocols with the parts of this package."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch

from lad_runtime.engine.backend import DeviceInfo
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method import windows as window
from lad_runtime.torch_backend.adapters.card import CARD_FILE, card_of
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.adapters.claims import check_base
from lad_runtime.torch_backend.adapters.merged_files import merge_bytes, merged_files
from lad_runtime.torch_backend.adapters.peft_format import (
    load_adapter,
    load_claims,
    weight_bytes,
    write_adapter,
)
from lad_runtime.torch_backend.adapters.pth_adapter import PTH_FILE, load_pth_adapter, pth_bytes
from lad_runtime.torch_backend.adapters.resume import restore
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.files.offload_folder import emptied_folder
from lad_runtime.torch_backend.forward import base as bases
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.bound_work import BoundRequest, placed
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.kernels.device import (
    cores,
    device_name,
    in_passing_thread,
    memory_bytes,
    memory_error,
    open_device,
    threads_for,
)
from lad_runtime.torch_backend.memory.held_memory import Held
from lad_runtime.torch_backend.memory.needs import adapter_bytes
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.row_independence import rows_are_independent
from lad_runtime.torch_backend.task_kind import Setting
from lad_runtime.torch_backend.tasks import kind_of
from lad_runtime.types.adapters import AdapterSpec, MergeSpec, StoredCheckpoint
from lad_runtime.types.bases import BaseSpec, LoadProgress
from lad_runtime.types.data import CutExample, Example, Message, PreparedExample, WindowReport, WindowSpec
from lad_runtime.types.memory import HeldMemory, Needs
from lad_runtime.types.task import Task
from lad_runtime.types.work import OutcomeT, Request, Work

_log = logging.getLogger(__name__)

_TOKEN_BUDGET = {"cpu": 1024, "cuda": 16_384}
"""The rows in a matmul beyond which the time per row hardly falls, while a batch's activations still grow."""


class TorchBackend:
    """Implements `lad_runtime.engine.backend.Backend` on one device. `threads` 0: chosen by the size of each base."""

    def __init__(self, *, device: str, threads: int, state: Path) -> None:
        self._device = open_device(device)
        self._threads = threads
        self._checkpoints = CheckpointStore(state / "checkpoints")
        self._offloads = emptied_folder(state / "optimizers")
        self._held = Held()

    @property
    def token_budget(self) -> int:
        return _TOKEN_BUDGET[self._device.type]

    def device(self) -> DeviceInfo:
        return DeviceInfo(
            kind=self._device.type,
            name=device_name(self._device),
            threads=self._threads or cores(),
            torch_version=torch.__version__,
            memory_bytes=memory_bytes(self._device),
        )

    def load_base(
        self,
        spec: BaseSpec,
        progress: Callable[[LoadProgress], None],
        admit: Callable[[int], None] = lambda _: None,
    ) -> Base:
        return self._held.base(in_passing_thread(lambda: self._load_base(spec, progress, admit)))

    def _load_base(
        self, spec: BaseSpec, progress: Callable[[LoadProgress], None], admit: Callable[[int], None]
    ) -> Base:
        base = bases.load_base(spec, self._device, progress, admit, self._threads)
        if self._device.type == "cpu" and not rows_are_independent(base.model):
            _log.warning(
                "this machine's matmul rounds a row differently in different company: "
                "results on %s may depend, in the last bits, on what else is computed with them",
                base.info.name,
            )
        return base

    def held(self) -> HeldMemory:
        return self._held.memory

    def keep_prompts(self, nbytes: int) -> None:
        self._held.keep_prompts(nbytes)

    def adapter_bytes(self, base: Base, spec: AdapterSpec) -> int:
        return adapter_bytes(base.model.config, spec)

    def checkpoints(self) -> list[StoredCheckpoint]:
        return self._checkpoints.all()

    def checkpoint_bytes(self, name: str) -> int:
        return self._checkpoints.nbytes(name)

    def has_checkpoint(self, name: str) -> bool:
        return self._checkpoints.has(name)

    def import_bytes(self, folder: Path) -> int:
        pth = folder / PTH_FILE
        return pth_bytes(pth) if pth.is_file() else weight_bytes(folder)

    def unload_base(self, base: Base) -> None:
        base.close()

    def encode(
        self, base: Base, texts: Sequence[str], allow_special: bool, add_special: bool = False
    ) -> list[tuple[int, ...]]:
        tokenizer = base.tokenizer
        written = [text if allow_special else tokenizer.hide(text) for text in texts]
        return [tuple(tokenizer.encode(text, add_special)) for text in written]

    def decode(self, base: Base, sequences: Sequence[Sequence[int]], keep_special: bool) -> list[str]:
        return [base.tokenizer.decode(ids, skip_special=not keep_special) for ids in sequences]

    def render(
        self,
        base: Base,
        messages: Sequence[Message],
        add_generation_prompt: bool,
        allow_special: bool,
    ) -> tuple[str, tuple[int, ...]]:
        tokenizer = base.tokenizer
        given = messages if allow_special else tokenizer.hidden(messages)
        if add_generation_prompt:
            text, ids = tokenizer.prompt(given)
        else:
            text = tokenizer.render(given, False)
            ids = tokenizer.encode(text)
        return tokenizer.reveal(text), tuple(ids)

    def prepare(
        self, base: Base, examples: Iterable[Example], spec: WindowSpec
    ) -> tuple[Sequence[PreparedExample], WindowReport]:
        return window.prepare(examples, spec, base.tokenizer, base.info)

    def cut(self, base: Base, examples: Iterable[Example], spec: WindowSpec) -> Iterator[CutExample]:
        return window.cut_examples(examples, spec, base.tokenizer, base.info)

    def describe(self, error: BaseException) -> LadError | None:
        known = memory_error(error)
        if known is not None and self._device.type == "cuda":
            torch.cuda.empty_cache()
        return known

    def compute(self, requests: Sequence[Request[object]]) -> list[object]:
        bound = [request for request in requests if isinstance(request, BoundRequest)]
        assert len(bound) == len(requests), "every work of this backend is placed"
        base = bound[0].base
        self._use_threads(base)
        forwards = [request.request for request in bound]
        try:
            return compute(base.model, forwards)
        except RuntimeError as error:
            if memory_error(error) is None or not self._held.drop_replays():
                raise
        torch.cuda.empty_cache()
        return compute(base.model, forwards)  # the first try has changed nothing

    def create_adapter(self, base: Base, spec: AdapterSpec) -> TrainedAdapter:
        return self._held.adapter(TrainedAdapter(LoraAdapter.create(base.model.config, spec, self._device)))

    def snapshot(self, adapter: TrainedAdapter) -> TrainedAdapter:
        return self._held.adapter(adapter.snapshot())

    def offload(self, adapter: TrainedAdapter) -> None:
        adapter.offload(self._offloads)

    def export_adapter(
        self, base: Base, adapter: TrainedAdapter, folder: Path, *, with_card: bool = False
    ) -> None:
        if not with_card:
            write_adapter(folder, adapter.adapter, base.info.name, adapter.claims)
            return
        source = base.source
        write_adapter(folder, adapter.adapter, source.name, adapter.claims, base_revision=source.revision)
        card = card_of(adapter.adapter.spec, adapter.claims, base.info, source)
        (folder / CARD_FILE).write_text(card, encoding="utf-8")

    def merge(self, base: Base, exported: Path, spec: MergeSpec) -> Iterator[tuple[str, bytes]]:
        return merged_files(base, exported, spec)

    def merge_bytes(self, base: Base, spec: AdapterSpec) -> int:
        return merge_bytes(base.model.config, spec)

    def import_adapter(self, base: Base, folder: Path, *, allow_other_base: bool = False) -> TrainedAdapter:
        pth = folder / PTH_FILE
        if pth.is_file():
            return self._held.adapter(TrainedAdapter(load_pth_adapter(pth, base.model.config, self._device)))
        claims = load_claims(folder)
        if claims is not None and not allow_other_base:
            check_base(claims, base.info)
        adapter = load_adapter(folder, base.model.config, self._device)
        return self._held.adapter(TrainedAdapter(adapter, claims=claims))

    def save_checkpoint(
        self, base: Base, adapter: TrainedAdapter, name: str, *, replace: bool = False
    ) -> str:
        return self._checkpoints.write(name, adapter, base.info, replace=replace)

    def delete_checkpoint(self, name: str) -> None:
        self._checkpoints.delete(name)

    def load_checkpoint(self, base: Base, name: str) -> TrainedAdapter:
        checkpoint = self._checkpoints.read(name)
        if checkpoint.base != {"name": base.info.name, "revision": base.info.revision}:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"Checkpoint {name} is of base {checkpoint.base['name']} ({checkpoint.base['revision']}), "
                f"not of {base.info.name} ({base.info.revision}).",
                option="name",
                value=name,
                remedy="Load it on the base that it was trained on.",
            )
        adapter = self.create_adapter(base, checkpoint.adapter)
        restore(adapter, checkpoint)
        return adapter

    def check(self, base: Base, task: Task[object]) -> None:
        kind_of(task).check(base, task)

    def needs(self, base: Base, adapter: TrainedAdapter | None, tasks: Sequence[Task[object]]) -> Needs:
        return kind_of(tasks[0]).needs(base, adapter, tasks)

    def work(self, base: Base, adapter: TrainedAdapter | None, task: Task[OutcomeT]) -> Work[OutcomeT]:
        setting = Setting(base=base, adapter=adapter, checkpoints=self._checkpoints, offloads=self._offloads)
        return placed(base, kind_of(task).work(setting, task), lambda: self._use_threads(base))

    def _use_threads(self, base: Base) -> None:
        """Sets the number of threads by the base alone, so that results do not depend on other resident bases."""
        wanted = self._threads or threads_for(base.info.parameter_count)
        if torch.get_num_threads() != wanted:
            torch.set_num_threads(wanted)
