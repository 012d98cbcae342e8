/** A gRPC server in this process, on a unix socket, that answers a few of the worker's methods as a test wants. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { DataServiceService as DataService } from "../../../sdk/src/gen/lad/v1/data.js";
import { RunsServiceService as RunsService } from "../../../sdk/src/gen/lad/v1/runs.js";
import { WorkerServiceService as WorkerService } from "../../../sdk/src/gen/lad/v1/worker.js";
import { testFolder } from "./folders.js";

const SERVICES = [WorkerService, RunsService, DataService];

export interface TestServer {
  readonly address: string;
  readonly socket: string;
  stop(): Promise<void>;
}

/** Methods that are not given answer UNIMPLEMENTED. */
export async function serve(
  handlers: UntypedServiceImplementation,
  socket = newSocket(),
  options: ServerOptions = {},
): Promise<TestServer> {
  const server = new Server({
    "grpc.max_receive_message_length": 64 * 2 ** 20,
    "grpc.max_send_message_length": 64 * 2 ** 20,
    ...options,
  });
  for (const service of SERVICES) {
    const own = Object.fromEntries(
      Object.keys(service).flatMap((name) => (handlers[name] ? [[name, handlers[name]]] : [])),
    );
    server.addService(service, own as UntypedServiceImplementation);
  }
  const address = `unix://${socket}`;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  return {
    address,
    socket,
    async stop() {
      server.forceShutdown();
      rmSync(socket, { force: true });
    },
  };
}

export function newSocket(): string {
  return join(testFolder(), "s.sock");
}
