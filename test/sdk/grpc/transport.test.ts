import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerReadableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { LadError, WorkerError } from "../../../sdk/src/errors.js";
import {
  DataServiceService as DataService,
  type UploadDatasetRequest,
  type UploadDatasetResponse,
} from "../../../sdk/src/gen/lad/v1/data.js";
import {
  RunsServiceService as RunsService,
  type StreamEventsRequest,
  type StreamEventsResponse,
} from "../../../sdk/src/gen/lad/v1/runs.js";
import {
  ErrorDetail,
  type GetInfoRequest,
  type GetInfoResponse,
  WorkerServiceService as WorkerService,
} from "../../../sdk/src/gen/lad/v1/worker.js";
import { GrpcTransport, type GrpcTransportOptions } from "../../../sdk/src/grpc/transport.js";
import { newSocket, serve, type TestServer } from "../support/grpc-server.js";

const open: { server?: TestServer; transports: GrpcTransport[] } = { transports: [] };

afterEach(async () => {
  for (const transport of open.transports.splice(0)) transport.close();
  await open.server?.stop();
});

async function connect(
  handlers: Parameters<typeof serve>[0],
  options: Partial<GrpcTransportOptions> = {},
): Promise<GrpcTransport> {
  open.server = await serve(handlers);
  return transportTo(open.server.address, options);
}

function transportTo(address: string, options: Partial<GrpcTransportOptions> = {}): GrpcTransport {
  const transport = new GrpcTransport({ address, token: "secret", ...options });
  open.transports.push(transport);
  return transport;
}

/** Streams numbered events without end, as fast as they are taken. */
function endless(state: { sent: number; cancelled: boolean }, bytesEach = 0) {
  const handler: handleServerStreamingCall<StreamEventsRequest, StreamEventsResponse> = (call) => {
    const name = "x".repeat(bytesEach);
    call.on("cancelled", () => {
      state.cancelled = true;
    });
    const pump = () => {
      while (!state.cancelled) {
        const event = { $case: "checkpoint" as const, value: { step: BigInt(state.sent), name } };
        const goOn = call.write({ seq: BigInt(state.sent++), time: 0, event });
        if (!goOn) {
          call.once("drain", pump);
          return;
        }
      }
    };
    pump();
  };
  return handler;
}

const info: GetInfoResponse = {
  device: "cpu",
  deviceName: "",
  threads: 1,
  torchVersion: "",
  pythonVersion: "",
  accountedBytes: 2n ** 60n,
  memoryBytes: 0n,
  memoryBudgetBytes: 0n,
  offloadedBytes: 0n,
  bases: [],
  adapters: [],
  policies: [],
  noises: [],
};

const answering: handleUnaryCall<GetInfoRequest, GetInfoResponse> = (_, callback) => callback(null, info);
const never: handleUnaryCall<GetInfoRequest, GetInfoResponse> = () => {};

function refusing(code: status, detail?: ErrorDetail): handleUnaryCall<GetInfoRequest, GetInfoResponse> {
  return (_, callback) => {
    const metadata = new Metadata();
    if (detail) metadata.set("lad-error-bin", Buffer.from(ErrorDetail.encode(detail).finish()));
    callback({ code, details: "no", metadata });
  };
}

describe("a stream", () => {
  it("is cancelled on the worker when its loop is left early", async () => {
    const state = { sent: 0, cancelled: false };
    const transport = await connect({ streamEvents: endless(state) });
    let taken = 0;
    for await (const _ of transport.serverStream(RunsService.streamEvents, { runId: "r", fromSeq: 0n })) {
      if (++taken === 5) break;
    }
    await expect.poll(() => state.cancelled).toBe(true);
  });

  it("opens with the first next() and not before", async () => {
    const state = { sent: 0, cancelled: false };
    const transport = await connect({ streamEvents: endless(state) });
    const stream = transport.serverStream(RunsService.streamEvents, { runId: "r", fromSeq: 0n });
    const iterator = stream[Symbol.asyncIterator]();
    await sleep(100);
    expect(state.sent).toBe(0);
    await iterator.next();
    expect(state.sent).toBeGreaterThan(0);
    await iterator.return?.();
  });

  it("holds the worker back while nobody reads", async () => {
    const state = { sent: 0, cancelled: false };
    const transport = await connect({ streamEvents: endless(state, 10_000) });
    const iterator = transport
      .serverStream(RunsService.streamEvents, { runId: "r", fromSeq: 0n })
      [Symbol.asyncIterator]();
    await iterator.next();
    await sleep(300);
    const early = state.sent;
    await sleep(300);
    expect(state.sent).toBe(early);
    expect(early).toBeLessThan(2_000);
    await iterator.return?.();
  });

  it("that nobody reads does not keep the worker's other answers back", async () => {
    const state = { sent: 0, cancelled: false };
    const transport = await connect({ streamEvents: endless(state, 100_000), getInfo: answering });
    const iterator = transport
      .serverStream(RunsService.streamEvents, { runId: "r", fromSeq: 0n })
      [Symbol.asyncIterator]();
    await iterator.next();
    await sleep(300);
    await transport.unary(WorkerService.getInfo, {}, { timeoutMs: 20_000 });
    await iterator.return?.();
  });

  it("carries 64-bit numbers whole", async () => {
    const big = 2n ** 63n + 1n;
    const handler: handleServerStreamingCall<StreamEventsRequest, StreamEventsResponse> = (call) => {
      call.write({ seq: call.request.fromSeq, time: 0, event: undefined });
      call.end();
    };
    const transport = await connect({ streamEvents: handler });
    const seen: bigint[] = [];
    for await (const { seq } of transport.serverStream(RunsService.streamEvents, {
      runId: "",
      fromSeq: big,
    })) {
      seen.push(seq);
    }
    expect(seen).toEqual([big]);
  });

  it("ends at once with the signal's reason as its cause, and leaves no listener behind", async () => {
    const state = { sent: 0, cancelled: false };
    const transport = await connect({ streamEvents: endless(state) });
    const abort = new AbortController();
    const read = async () => {
      const options = { signal: abort.signal };
      for await (const _ of transport.serverStream(
        RunsService.streamEvents,
        { runId: "", fromSeq: 0n },
        options,
      )) {
        if (state.sent > 20) abort.abort(new Error("enough"));
      }
    };
    const error = await read().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "cancelled", cause: { message: "enough" } });
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
    await expect.poll(() => state.cancelled).toBe(true);
  });
});

describe("a call", () => {
  it("sends the token as plain metadata over the socket", async () => {
    let seen: unknown;
    const handler: handleUnaryCall<GetInfoRequest, GetInfoResponse> = (call, callback) => {
      seen = call.metadata.get("authorization");
      callback(null, info);
    };
    const transport = await connect({ getInfo: handler });
    const reply = await transport.unary(WorkerService.getInfo, {});
    expect(seen).toEqual(["Bearer secret"]);
    expect(reply.accountedBytes).toBe(2n ** 60n);
  });

  it("is never made with a signal that is aborted already", async () => {
    let made = false;
    const handler: handleUnaryCall<GetInfoRequest, GetInfoResponse> = (_, callback) => {
      made = true;
      callback(null, info);
    };
    const transport = await connect({ getInfo: handler });
    const signal = AbortSignal.abort("stop");
    await expect(transport.unary(WorkerService.getInfo, {}, { signal })).rejects.toMatchObject({
      code: "cancelled",
      cause: "stop",
    });
    expect(made).toBe(false);
  });

  it("is cancelled by its signal, whose listener is removed either way", async () => {
    const transport = await connect({ getInfo: never });
    const abort = new AbortController();
    const call = transport.unary(WorkerService.getInfo, {}, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
  });

  it("ends with the error timeout that names timeoutMs", async () => {
    const transport = await connect({ getInfo: never });
    await expect(transport.unary(WorkerService.getInfo, {}, { timeoutMs: 50 })).rejects.toMatchObject({
      code: "timeout",
      option: "timeoutMs",
      value: "50",
    });
  });

  it("fails with what the worker says in its ErrorDetail", async () => {
    const detail = {
      code: "invalid-option",
      message: "rank is 0: it must be at least 1.",
      option: "rank",
      value: "0",
      remedy: "Give a rank from 1.",
      retryAfterMs: 0,
    };
    const transport = await connect({ getInfo: refusing(status.INVALID_ARGUMENT, detail) });
    const error = await transport.unary(WorkerService.getInfo, {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LadError);
    expect(error).toMatchObject({
      code: "invalid-option",
      option: "rank",
      value: "0",
      remedy: "Give a rank from 1.",
      message: "rank is 0: it must be at least 1. Give a rank from 1.",
    });
    expect((error as LadError).cause).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it.each([
    [status.NOT_FOUND, "not-found"],
    [status.UNAUTHENTICATED, "unauthenticated"],
    [status.RESOURCE_EXHAUSTED, "out-of-memory"],
    [status.UNIMPLEMENTED, "version-mismatch"],
    [status.INTERNAL, "internal"],
    [status.UNKNOWN, "internal"],
  ])("maps a status %i without a detail to %s", async (code, expected) => {
    const transport = await connect({ getInfo: refusing(code) });
    await expect(transport.unary(WorkerService.getInfo, {})).rejects.toMatchObject({ code: expected });
  });

  it("takes replies above gRPC's default limit of 4 MiB", async () => {
    const large = "x".repeat(6 * 2 ** 20);
    const transport = await connect({
      getInfo: ((_: unknown, callback: sendUnaryData<GetInfoResponse>) =>
        callback(null, { ...info, deviceName: large })) as never,
    });
    const reply = await transport.unary(WorkerService.getInfo, {});
    expect(reply.deviceName).toHaveLength(large.length);
  });

  it.each([
    [
      "Attempted to send message with a size larger than 8388608",
      /The request of \S+ is larger than the 8 MiB/,
    ],
    [
      "SERVER: Received message larger than max (9000000 vs. 8388608)",
      /The request of \S+ is larger than the 8 MiB/,
    ],
    ["Received message larger than max (70000000 vs 67108864)", /The reply of \S+ is larger than the 64 MiB/],
  ])("says which of the two was too long: %s", async (details, text) => {
    const transport = await connect({
      getInfo: ((_: unknown, callback: sendUnaryData<GetInfoResponse>) =>
        callback({ code: status.RESOURCE_EXHAUSTED, details })) as never,
    });
    const error = await transport.unary(WorkerService.getInfo, {}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "invalid-option", message: expect.stringMatching(text) });
  });

  it("refuses a request above 8 MiB before it is sent", async () => {
    let asked = 0;
    const handler: handleUnaryCall<unknown, GetInfoResponse> = (_, callback) => {
      asked++;
      callback(null, info);
    };
    const transport = await connect({ handshake: handler as never });
    const request = { protocolVersion: 1, buildVersion: "x".repeat(9 * 2 ** 20) };
    await expect(transport.unary(WorkerService.handshake, request)).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining("8 MiB"),
    });
    expect(asked).toBe(0);
  });

  it("connects again, unseen, where the worker has closed an idle connection", async () => {
    open.server = await serve({ getInfo: answering }, newSocket(), { "grpc.max_connection_idle_ms": 150 });
    const transport = transportTo(open.server.address);
    for (const wait of [0, 145, 150, 155, 400]) {
      await sleep(wait);
      expect((await transport.unary(WorkerService.getInfo, {})).device).toBe("cpu");
    }
  });

  it("fails at once with the worker's death once the worker is known to be gone", async () => {
    const lost = new AbortController();
    const transport = await connect({ getInfo: never }, { lost: lost.signal });
    const call = transport.unary(WorkerService.getInfo, {});
    await sleep(30);
    const death = new WorkerError("worker-died", "The worker ended (signal SIGKILL).", {
      log: ["last words"],
    });
    lost.abort(death);
    await expect(call).rejects.toBe(death);
    await expect(transport.unary(WorkerService.getInfo, {})).rejects.toBe(death);
  });

  it("tells a connection that breaks with its worker as the worker's death", async () => {
    const lost = new AbortController();
    const transport = await connect({ getInfo: answering, handshake: never as never }, { lost: lost.signal });
    await transport.unary(WorkerService.getInfo, {});
    const request = { protocolVersion: 1, buildVersion: "" };
    const pending = transport.unary(WorkerService.handshake, request).catch((error: unknown) => error);
    await sleep(50);
    await open.server?.stop();
    const death = new WorkerError("worker-died", "The worker ended.");
    setTimeout(() => lost.abort(death), 100);
    expect(await pending).toBe(death);
  });

  it("reaches a worker that starts late within a second of its start", async () => {
    const socket = newSocket();
    const transport = transportTo(`unix://${socket}`);
    const tries = async () => {
      while (true) {
        try {
          await transport.unary(WorkerService.getInfo, {}, { timeoutMs: 5_000 });
          return performance.now();
        } catch {
          await sleep(20);
        }
      }
    };
    const reached = tries();
    await sleep(2_500);
    open.server = await serve({ getInfo: answering }, socket);
    const started = performance.now();
    expect((await reached) - started).toBeLessThan(900);
  });

  it("fails when the transport is closed, and so does every later one", async () => {
    const transport = await connect({ getInfo: never });
    const call = transport.unary(WorkerService.getInfo, {});
    await sleep(30);
    transport.close();
    await expect(call).rejects.toMatchObject({ code: "unavailable" });
    await expect(transport.unary(WorkerService.getInfo, {})).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("an upload", () => {
  function counting(state: { bytes: number }) {
    return (
      call: ServerReadableStream<UploadDatasetRequest, UploadDatasetResponse>,
      callback: sendUnaryData<UploadDatasetResponse>,
    ) => {
      call.on("data", ({ data }: UploadDatasetRequest) => {
        state.bytes += data.length;
      });
      call.on("end", () => callback(null, { datasetId: "d", examples: 1n }));
    };
  }

  it("sends piece after piece and gets one reply", async () => {
    const state = { bytes: 0 };
    const transport = await connect({ uploadDataset: counting(state) as never });
    const pieces = async function* () {
      for (let i = 0; i < 40; i++) yield { data: Buffer.alloc(2 ** 18) };
    };
    const reply = await transport.unary(DataService.uploadDataset, pieces());
    expect(reply.datasetId).toBe("d");
    expect(state.bytes).toBe(40 * 2 ** 18);
  });

  it("fails with its source's own error", async () => {
    const transport = await connect({ uploadDataset: counting({ bytes: 0 }) as never });
    const broken = new LadError("not-found", "no such file.");
    const pieces = async function* () {
      yield { data: Buffer.alloc(10) };
      throw broken;
    };
    await expect(transport.unary(DataService.uploadDataset, pieces())).rejects.toBe(broken);
  });
});
