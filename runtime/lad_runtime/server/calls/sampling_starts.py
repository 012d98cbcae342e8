"""Starts runs of sampling, for the calls that only start them and those that follow them too."""

from concurrent.futures import Future

from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.worker import Worker
from lad_runtime.gen.lad.v1 import sampling_pb2 as pb
from lad_runtime.server.calls.creating import made, same_request, starting_threads
from lad_runtime.types.sampling import SamplingSpec
from lad_runtime.wire.canvas import read_canvas
from lad_runtime.wire.codec import reader

_read_spec = reader(pb.SamplingSpec, SamplingSpec)


class SamplingStarts:
    def __init__(self, worker: Worker) -> None:
        self._sampling = worker.sampling
        self._runs = worker.runs
        self._threads = starting_threads()

    async def start(self, request: pb.StartSamplingRequest) -> Run:
        """The run that the request asks for, which another call of its id may have started."""

        def start(run_id: str) -> str:
            canvases = [read_canvas(canvas) for canvas in request.canvases]
            spec = _read_spec(request.spec)
            return self._sampling.start(request.base_id, request.adapter_id, canvases, spec, run_id).id

        def begin(run_id: str) -> "Future[str]":
            return self._threads.submit(start, run_id)

        making = self._runs.starts.make("runId", request.run_id, same_request(request), begin, kind="run")
        return self._runs.get(await made(making))


def write_started(run: Run) -> pb.StartSamplingResponse:
    canvases = run.recipe.canvases if run.recipe else ()
    return pb.StartSamplingResponse(run_id=run.id, prompt_tokens=[len(canvas.prompt) for canvas in canvases])
