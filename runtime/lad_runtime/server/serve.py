"""Runs the gRPC server with every service, health and reflection, and shuts it down."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from lad_runtime.engine.worker import Worker
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import (
    adapters_pb2_grpc,
    data_pb2_grpc,
    evaluation_pb2_grpc,
    runs_pb2_grpc,
    sampling_pb2_grpc,
    training_pb2_grpc,
    worker_pb2_grpc,
)
from lad_runtime.server.calls.interceptor import Guard
from lad_runtime.server.calls.methods import LARGEST, service_names
from lad_runtime.server.calls.preparing import Preparing
from lad_runtime.server.calls.sampling_starts import SamplingStarts
from lad_runtime.server.process.address import with_port
from lad_runtime.server.process.connections import Connections, connections_by_descriptors
from lad_runtime.server.process.lease import Lease
from lad_runtime.server.services.adapters import AdaptersService
from lad_runtime.server.services.data import DataService
from lad_runtime.server.services.evaluation import EvaluationService
from lad_runtime.server.services.runs import RunsService
from lad_runtime.server.services.sampling import SamplingService
from lad_runtime.server.services.training import TrainingService
from lad_runtime.server.services.worker import WorkerService

_log = logging.getLogger("lad.server")
_DRAIN_SECONDS = 60.0
_BLOCKING_THREADS = (
    32  # for texts and files; slow calls have threads of their own, and the engine has its thread
)
_MESSAGES = [
    ("grpc.max_receive_message_length", LARGEST),
    ("grpc.max_send_message_length", 64 << 20),  # a reply may hold the logits of many positions
    ("grpc.compression_enabled_algorithms_bitset", 1),  # none, so that a message has its length on the wire
]


async def serve(
    worker: Worker,
    address: str,
    token: str,
    lease_seconds: int,
    on_ready: Callable[[str], None],
    connections: Connections | None = None,
) -> None:
    """Serves until SIGTERM, SIGINT or the end of the lease, then drains and returns.

    Calls `on_ready` with the bound address. While it drains, it rejects new work, training runs finish their step and write
    their checkpoints, and followers receive the end of their runs. Raises LadError(UNAVAILABLE) if the address cannot be bound,
    or if too few clients could connect.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_BLOCKING_THREADS, thread_name_prefix="lad-blocking"))
    ending = asyncio.Event()
    options = [*_MESSAGES, *(connections or connections_by_descriptors()).options]
    server = aio.server(interceptors=[Guard(token, worker.backend.describe)], options=options)
    healthy = health.aio.HealthServicer()
    lease = Lease(lease_seconds, ending.set)
    _add_services(server, worker, lease, healthy)
    bound = _bind(server, address)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, ending.set)
    await server.start()
    for service in ("", *service_names()):
        await healthy.set(service, health_pb2.HealthCheckResponse.SERVING)
    on_ready(bound)
    _log.info("serving on %s", bound)
    await ending.wait()
    _log.info("draining")
    await healthy.enter_graceful_shutdown()
    await _in_own_thread(lambda: worker.drain(_DRAIN_SECONDS))
    lease.end()
    await server.stop(grace=1.0)
    _log.info("stopped")


async def _in_own_thread(work: Callable[[], None]) -> None:
    """Runs blocking work even when all other threads are busy."""
    await asyncio.wrap_future(ThreadPoolExecutor(1, thread_name_prefix="lad-draining").submit(work))


def _bind(server: aio.Server, address: str) -> str:
    previous = os.umask(0o077)  # makes a unix socket private
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise LadError(
            ErrorCode.UNAVAILABLE,
            f"The worker cannot listen on {address}.",
            option="--listen",
            value=address,
            remedy="The port may be in use: free it, choose another, or give port 0 for any.",
        ) from error
    finally:
        os.umask(previous)
    return address if address.startswith("unix:") else with_port(address, port)


def _add_services(
    server: aio.Server, worker: Worker, lease: Lease, healthy: health.aio.HealthServicer
) -> None:
    preparing = Preparing(worker)
    starts = SamplingStarts(worker)
    worker_pb2_grpc.add_WorkerServiceServicer_to_server(WorkerService(worker, lease), server)
    data_pb2_grpc.add_DataServiceServicer_to_server(DataService(worker, preparing), server)
    adapters_pb2_grpc.add_AdaptersServiceServicer_to_server(AdaptersService(worker), server)
    training_pb2_grpc.add_TrainingServiceServicer_to_server(TrainingService(worker, preparing), server)
    sampling_pb2_grpc.add_SamplingServiceServicer_to_server(SamplingService(worker, starts), server)
    runs_pb2_grpc.add_RunsServiceServicer_to_server(RunsService(worker, starts), server)
    evaluation_pb2_grpc.add_EvaluationServiceServicer_to_server(EvaluationService(worker), server)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    reflection.enable_server_reflection(
        [*service_names(), health.SERVICE_NAME, reflection.SERVICE_NAME], server
    )
