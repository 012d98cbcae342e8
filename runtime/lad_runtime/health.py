"""A container's health check: `python -m lad_runtime.health --address A` exits with 0 when the worker serves."""

import argparse
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lad_runtime.health")
    parser.add_argument("--address", required=True, help="HOST:PORT or unix:PATH")
    parser.add_argument("--timeout-seconds", type=float, default=3.0)
    given = parser.parse_args(arguments)
    with grpc.insecure_channel(given.address) as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=given.timeout_seconds
            )
        except grpc.RpcError as error:
            print(f"{given.address}: {error.code().name.lower()}", file=sys.stderr)
            return 1
    return 0 if reply.status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
