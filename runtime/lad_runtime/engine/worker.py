"""Assembles the worker's parts for a server or a test."""

from dataclasses import dataclass
from pathlib import Path

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.calls.adapter_merges import AdapterMerges
from lad_runtime.engine.calls.adapter_uploads import AdapterUploads
from lad_runtime.engine.calls.adapters import Adapters
from lad_runtime.engine.calls.bases import Bases
from lad_runtime.engine.calls.hub_pushes import HubPushes
from lad_runtime.engine.calls.primitives import Primitives
from lad_runtime.engine.calls.resuming import Resuming
from lad_runtime.engine.calls.sampling import Sampling
from lad_runtime.engine.calls.tasks import Tasks
from lad_runtime.engine.calls.training_runs import TrainingRuns
from lad_runtime.engine.data.datasets import DatasetStore
from lad_runtime.engine.data.inspection.inspecting import Inspections
from lad_runtime.engine.data.mixtures.mixing import Mixtures
from lad_runtime.engine.data.prepared import PreparedData
from lad_runtime.engine.data.storage import Transfers
from lad_runtime.engine.memory.budget import Memory
from lad_runtime.engine.resident.checkpoint_names import CheckpointNames
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.runs.runs import Runs
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.store.run_store import RunStore


@dataclass(frozen=True, kw_only=True)
class Worker:
    backend: AnyBackend
    engine: Engine
    registry: Registry
    datasets: DatasetStore
    mixtures: Mixtures
    inspections: Inspections
    prepared: PreparedData
    runs: Runs
    bases: Bases
    adapters: Adapters
    uploads: AdapterUploads
    merges: AdapterMerges
    pushes: HubPushes
    transfers: Transfers
    training: TrainingRuns
    resuming: Resuming
    primitives: Primitives
    sampling: Sampling
    tasks: Tasks
    memory: Memory

    def drain(self, timeout_seconds: float) -> None:
        """Lets training runs finish their step and write their checkpoints, cancels all other work, and stops the engine.

        Runs that this ends are found interrupted by the next worker of the state folder.
        """
        self.runs.leave()
        self.training.drain(timeout_seconds)
        self.engine.stop(timeout_seconds)
        self.runs.close()


def make_worker(backend: AnyBackend, state: Path, memory_budget_bytes: int | None = None) -> Worker:
    """Makes a worker with a running engine, and its data sets and runs below `state`.

    None: the budget is a share of the device's memory.
    Raises LadError: STORAGE if the record of runs is damaged, VERSION_MISMATCH if a newer worker wrote it.
    """
    runs = Runs(store=RunStore(state))
    engine = Engine(backend)
    registry = Registry()
    datasets = DatasetStore(state / "datasets")
    prepared = PreparedData(backend, datasets)
    memory = Memory(backend, registry, engine, memory_budget_bytes)
    tasks = Tasks(engine, backend, registry, memory)
    names = CheckpointNames(backend.has_checkpoint, registry.has_adapter)
    adapters = Adapters(engine, backend, registry, memory, names)
    transfers = Transfers(state / "transfers")
    bases = Bases(backend, registry, prepared, memory)
    training = TrainingRuns(engine, backend, registry, datasets, prepared, runs, memory, names)
    engine.start()
    return Worker(
        backend=backend,
        engine=engine,
        registry=registry,
        datasets=datasets,
        mixtures=Mixtures(backend, datasets),
        inspections=Inspections(backend, datasets),
        prepared=prepared,
        runs=runs,
        bases=bases,
        adapters=adapters,
        uploads=AdapterUploads(adapters, backend, registry, memory, transfers),
        merges=AdapterMerges(adapters, backend, registry, memory),
        pushes=HubPushes(adapters, transfers),
        transfers=transfers,
        training=training,
        resuming=Resuming(backend, registry, runs, bases, adapters, training),
        primitives=Primitives(engine, backend, registry, prepared, memory, tasks),
        sampling=Sampling(engine, backend, registry, runs, memory),
        tasks=tasks,
        memory=memory,
    )
