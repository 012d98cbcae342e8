"""CUDA graphs: everything that a computation launches, recorded once and launched again by one call."""

import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import torch
from torch import Tensor


class CudaRecording:
    """A recorded computation. It reads and writes the addresses that it was recorded with, whatever lies there by then."""

    def __init__(self, graph: torch.cuda.CUDAGraph, result: Tensor) -> None:
        self.pool = graph.pool()
        self._graph = graph
        self._result = result

    def replay(self) -> Tensor:
        """Computes again, in the order of the current stream; the result stands until any recording of the recorder replays."""
        self._graph.replay()
        return self._result


class CudaRecorder:
    """Records computations of one thread. The living recordings share one pool of memory, which goes with the last of them."""

    def __init__(self) -> None:
        self._living: weakref.WeakSet[CudaRecording] = weakref.WeakSet()
        self._has_workspace = False

    def record(self, compute: Callable[[], Tensor]) -> CudaRecording:
        """Records `compute`, which must neither wait for the device nor copy from the host, and must have run before, so that its
        kernels are loaded. Nothing is computed yet. Raises what `compute` does, or RuntimeError where CUDA refuses to record."""
        # A pool that no graph uses any more cannot be used again.
        pool = next((recording.pool for recording in self._living), None) or torch.cuda.graph_pool_handle()
        graph, stream = torch.cuda.CUDAGraph(), _stream(torch.cuda.current_device())
        if not self._has_workspace:
            _take_workspace(stream)
            self._has_workspace = True
        stream.wait_stream(torch.cuda.current_stream())
        # Not `torch.cuda.graph`: it waits for the device and empties the allocator's cache, which takes as long as many forwards.
        with torch.cuda.stream(stream):
            # Of this thread alone: others may allocate and copy meanwhile.
            graph.capture_begin(pool=pool, capture_error_mode="thread_local")
            try:
                result = compute()
            except BaseException:
                with suppress(RuntimeError):
                    graph.capture_end()
                raise
            graph.capture_end()
        recording = CudaRecording(graph, result)
        self._living.add(recording)
        return recording


@cache
def _stream(device: int) -> torch.cuda.Stream:
    """The stream to record on."""
    return torch.cuda.Stream(device)


def _take_workspace(stream: torch.cuda.Stream) -> None:
    """cuBLAS takes a workspace for a thread and a stream with their first product, for good: in a recording, it would be of the
    recordings' memory."""
    with torch.cuda.stream(stream):
        ones = torch.ones(16, 16, device=stream.device, dtype=torch.bfloat16)
        torch.mm(ones, ones)
