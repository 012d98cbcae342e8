"""The gRPC server of `proto/lad/v1`: translates requests, calls the engine, and translates its replies."""
