"""Our worker without its server: the engine, the backend and one base, in the process that is measured."""

import os
import platform
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from bench.sides.device import finish_device
from bench.sides.model_folder import model_folder
from bench.sides.specs import adapter_spec, base_spec
from lad_runtime.engine.worker import make_worker
from lad_runtime.torch_backend.adapters.peft_format import write_adapter
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.torch_backend.model.replays import Replays
from lad_runtime.types.work import Work


class LadWorker:
    """`request` names base and threads, and a `scratch` folder of the harness's, where the other side may read. With
    `LAD_BENCH_GRAPHS=off` no forward is replayed."""

    def __init__(self, request: dict[str, Any]) -> None:
        base, threads, device = request["base"], request["threads"], request.get("device", "cpu")
        self._scratch = Path(request["scratch"])
        state = self._scratch / "state"
        (state / "datasets").mkdir(parents=True, exist_ok=True)
        self.backend = TorchBackend(device=device, threads=threads, state=state)
        self.engine = make_worker(self.backend, state).engine
        self.folder = model_folder(base, self._scratch)
        spec = base_spec(base, compile=request.get("compile", False))
        self.base = self.backend.load_base(spec, lambda progress: None)
        if os.environ.get("LAD_BENCH_GRAPHS") == "off":
            self.base.model.replays = Replays(None)

    @property
    def facts(self) -> dict[str, Any]:
        """What inputs are made from, and what the other side loads."""
        info = self.base.info
        return {
            "folder": str(self.folder),
            "parameters": info.parameter_count,
            "vocabSize": info.vocab_size,
            "maxPositions": info.max_positions,
            "maskToken": info.mask_token,
            "maskTokenId": info.mask_token_id,
            "eosTokenId": info.eos_token_id,
            "dtype": info.dtype,
            "kernels": {way.matrix: f"{way.kernel} {way.layout}" for way in info.kernels},
            "deviceName": self.backend.device().name,
            "torch": torch.__version__,
            "python": platform.python_version(),
        }

    def adapter(self, rank: int, *, deviation: float = 0.0) -> TrainedAdapter:
        """LoRA on q_proj and v_proj with alpha = rank. B is zero, or random where a `deviation` is given."""
        return self.engine.call(lambda: self._adapter(rank, deviation)).result()

    def snapshot(self, adapter: TrainedAdapter) -> TrainedAdapter:
        return self.engine.call(lambda: self.backend.snapshot(adapter)).result()

    def _adapter(self, rank: int, deviation: float) -> TrainedAdapter:
        spec = adapter_spec(rank, ("q_proj", "v_proj"), seed=rank)
        adapter = self.backend.create_adapter(self.base, spec)
        generator = torch.Generator().manual_seed(rank)
        with torch.no_grad():
            for name, parameter in adapter.parameters.items():
                if name.endswith("lora_B"):
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * deviation)
        return adapter

    def save(self, adapter: TrainedAdapter) -> str:
        """Writes an adapter in PEFT's format, named after its rank; the folder."""
        folder = self._scratch / "adapters" / f"rank-{adapter.spec.rank}"
        folder.mkdir(parents=True, exist_ok=True)
        self.engine.call(lambda: write_adapter(folder, adapter.adapter, str(self.folder))).result()
        return str(folder)

    def run(
        self, works: Sequence[Work], on_event: Callable[[Any], None] = lambda event: None
    ) -> tuple[float, list[Any]]:
        """Seconds from the moment when all works begin, each with a turn of its own, to the last one's end; their outcomes."""
        begin = threading.Event()
        self.engine.call(begin.wait)
        jobs = [
            self.engine.submit(work, tenant=f"work {index}", on_event=on_event)
            for index, work in enumerate(works)
        ]
        started = time.perf_counter()
        begin.set()
        outcomes = [job.future.result() for job in jobs]
        finish_device()
        return time.perf_counter() - started, outcomes

    def profile(self, file: str, run: Callable[[], Any]) -> None:
        """Writes a Chrome trace of what the engine's thread does during `run`."""
        profiler = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA])
        self.engine.call(profiler.start).result()
        run()
        self.engine.call(profiler.stop).result()
        profiler.export_chrome_trace(file)
