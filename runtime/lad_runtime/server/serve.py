"""The gRPC server: every service, health, reflection; and how it ends."""

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
    adapters_pb2,
    adapters_pb2_grpc,
    data_pb2,
    data_pb2_grpc,
    evaluation_pb2,
    evaluation_pb2_grpc,
    runs_pb2,
    runs_pb2_grpc,
    sampling_pb2,
    sampling_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
    worker_pb2,
    worker_pb2_grpc,
)
from lad_runtime.server.adapters_service import AdaptersService
from lad_runtime.server.address import with_port
from lad_runtime.server.data_service import DataService
from lad_runtime.server.interceptor import Guard
from lad_runtime.server.lease import Lease
from lad_runtime.server.runs_service import RunsService
from lad_runtime.server.sampling_service import EvaluationService, SamplingService
from lad_runtime.server.training_service import TrainingService
from lad_runtime.server.worker_service import WorkerService

_log = logging.getLogger("lad.server")
_DRAIN_SECONDS = 60.0
_BLOCKING_THREADS = 32  # for loading, tokenising and files; compute has the engine's thread
_FILES = (worker_pb2, data_pb2, adapters_pb2, training_pb2, sampling_pb2, runs_pb2, evaluation_pb2)
_OPTIONS = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    ("grpc.so_reuseport", 0),  # two workers on one port would share its connections at random
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
]


async def serve(
    worker: Worker, address: str, token: str, lease_seconds: int, on_ready: Callable[[str], None]
) -> None:
    """Serves until SIGTERM, SIGINT or the end of the lease, then drains and returns.

    `on_ready` gets the bound address. Draining: no new work is admitted, training runs finish the step in hand and write
    their checkpoints, followers see the end of their runs. Raises LadError(UNAVAILABLE) when the address cannot be bound.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_BLOCKING_THREADS, thread_name_prefix="lad-blocking"))
    ending = asyncio.Event()
    server = aio.server(interceptors=[Guard(token, worker.backend.describe)], options=_OPTIONS)
    healthy = health.aio.HealthServicer()
    lease = Lease(lease_seconds, ending.set)
    _add_services(server, worker, lease, healthy)
    bound = _bind(server, address)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, ending.set)
    await server.start()
    for service in ("", *_service_names()):
        await healthy.set(service, health_pb2.HealthCheckResponse.SERVING)
    on_ready(bound)
    _log.info("serving on %s", bound)
    await ending.wait()
    _log.info("draining")
    await healthy.enter_graceful_shutdown()
    await asyncio.to_thread(worker.drain, _DRAIN_SECONDS)
    lease.end()
    await server.stop(grace=1.0)
    _log.info("stopped")


def _bind(server: aio.Server, address: str) -> str:
    previous = os.umask(0o077)  # a unix socket is the worker's alone
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
    worker_pb2_grpc.add_WorkerServiceServicer_to_server(WorkerService(worker, lease), server)
    data_pb2_grpc.add_DataServiceServicer_to_server(DataService(worker), server)
    adapters_pb2_grpc.add_AdaptersServiceServicer_to_server(AdaptersService(worker), server)
    training_pb2_grpc.add_TrainingServiceServicer_to_server(TrainingService(worker), server)
    sampling_pb2_grpc.add_SamplingServiceServicer_to_server(SamplingService(worker), server)
    runs_pb2_grpc.add_RunsServiceServicer_to_server(RunsService(worker), server)
    evaluation_pb2_grpc.add_EvaluationServiceServicer_to_server(EvaluationService(worker), server)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    reflection.enable_server_reflection(
        [*_service_names(), health.SERVICE_NAME, reflection.SERVICE_NAME], server
    )


def _service_names() -> list[str]:
    return [service.full_name for file in _FILES for service in file.DESCRIPTOR.services_by_name.values()]
