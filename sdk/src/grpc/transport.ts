import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ChannelOptions,
  type ClientWritableStream,
  credentials,
  Client as GrpcClient,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { isLadError, LadError, type LadErrorCode } from "../errors.js";
import type { Method, Transport, TransportOptions } from "../transport.js";
import { decodeErrorDetail, ERROR_KEY, fromErrorDetail } from "../wire/errors.js";
import { type CallGuard, guardCall } from "./call-guard.js";

/** The address of a worker, and the settings of the connection to it. */
export interface GrpcTransportOptions {
  /** `unix:///absolute/path` or `host:port`. */
  address: string;
  /** The token, sent with every call as `authorization: Bearer …`. */
  token: string;
  /** Aborted when the worker is known to have ended; every call then fails at once with the signal's reason. */
  lost?: AbortSignal;
  /** The shortest and longest wait before the next try to connect, in milliseconds. Defaults 100 and 500. */
  reconnectMinMs?: number;
  reconnectMaxMs?: number;
  /** Milliseconds between pings, which find a dead host. Default 30,000 over TCP, no pings over a unix socket. */
  keepaliveMs?: number;
}

/** The most bytes that the worker receives in one message; larger data is uploaded in pieces. */
const SENT_BYTES = 8 * 2 ** 20;
/** The most bytes that the worker sends in one message: a reply may hold the logits of many positions. */
const RECEIVED_BYTES = 64 * 2 ** 20;

/** The metadata key of a request's length. The worker receives a short request at once, a long one when it has room. */
const LENGTH_KEY = "lad-request-bytes";

/** After a broken connection, how long to wait for the news that the worker has ended, in milliseconds. */
const DEATH_MS = 500;

/** gRPC over HTTP/2 without TLS: for a unix socket, a loopback port, or a network that the caller trusts. */
export class GrpcTransport implements Transport {
  readonly #client: GrpcClient;
  readonly #metadata = new Metadata();
  /** Aborted when the worker is lost or the transport closed. */
  readonly #gone = new AbortController();
  readonly #lost: AbortSignal | undefined;
  readonly #onLost = () => this.#gone.abort(this.#lost?.reason);
  #hasAnswered = false;

  constructor(options: GrpcTransportOptions) {
    this.#client = new GrpcClient(options.address, credentials.createInsecure(), channelOptions(options));
    this.#metadata.set("authorization", `Bearer ${options.token}`);
    setMaxListeners(0, this.#gone.signal); // one for each call in flight
    this.#lost = options.lost;
    this.#lost?.addEventListener("abort", this.#onLost);
    if (this.#lost?.aborted) this.#onLost();
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request | AsyncIterable<Request>,
    options: TransportOptions = {},
  ): Promise<Response> {
    const guard = guardCall(method.path, this.#gone.signal, options);
    const early = guard.reason();
    if (early !== undefined) throw early;
    try {
      const response = await this.#send(method, request, guard);
      this.#hasAnswered = true;
      return response;
    } catch (error) {
      throw await this.#failure(error, method.path, guard);
    } finally {
      guard.release();
    }
  }

  async *serverStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: TransportOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    const guard = guardCall(method.path, this.#gone.signal, options);
    const early = guard.reason();
    if (early !== undefined) throw early;
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata,
    );
    call.on("error", () => {}); // cancelling emits one more error after the iteration has ended
    guard.arm(() => call.cancel());
    try {
      for await (const message of call) yield message as Response;
    } catch (error) {
      throw await this.#failure(error, path, guard);
    } finally {
      guard.release();
      call.cancel();
    }
  }

  close(): void {
    this.#lost?.removeEventListener("abort", this.#onLost);
    this.#gone.abort(new LadError("unavailable", "The connection to the worker was closed by this side."));
    this.#client.close();
  }

  /** Sends one request or several, and returns one reply. Rejects with gRPC's error, or with the error of the requests' source. */
  #send<Request, Response>(
    { path, requestStream, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request | AsyncIterable<Request>,
    guard: CallGuard,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: Response) => {
        if (error === null) resolve(response as Response);
        else reject(error);
      };
      const common = [path, requestSerialize, responseDeserialize] as const;
      if (!requestStream) {
        const bytes = requestSerialize(request as Request);
        const metadata = this.#metadata.clone();
        metadata.set(LENGTH_KEY, String(bytes.length));
        const call = this.#client.makeUnaryRequest(
          path,
          (made: Buffer) => made,
          responseDeserialize,
          bytes,
          metadata,
          done,
        );
        guard.arm(() => call.cancel());
        return;
      }
      const call = this.#client.makeClientStreamRequest(...common, this.#metadata, done);
      guard.arm(() => call.cancel());
      writeAll(call, request as AsyncIterable<Request>).catch((error: unknown) => {
        reject(error);
        call.cancel();
      });
    });
  }

  /**
   * The error to report for a failed call. When a worker dies, its connections break a moment before its process is known to have
   * ended, so this waits for that moment.
   */
  async #failure(error: unknown, path: string, guard: CallGuard): Promise<unknown> {
    const told = isServiceError(error) ? fromServiceError(error, path) : error;
    const mayBeDeath = this.#hasAnswered && this.#lost !== undefined && isLadError(told, "unavailable");
    if (mayBeDeath && guard.reason() === undefined) await aborted(this.#gone.signal, DEATH_MS);
    return guard.reason() ?? told;
  }
}

/** Waits until the signal is aborted, at most so many milliseconds. */
async function aborted(signal: AbortSignal, milliseconds: number): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}

/** The channel options that this file uses. With this type a misspelt name, which gRPC ignores silently, does not compile. */
type UsedChannelOptions = Required<
  Pick<
    ChannelOptions,
    | "grpc.max_receive_message_length"
    | "grpc.max_send_message_length"
    | "grpc.initial_reconnect_backoff_ms"
    | "grpc.max_reconnect_backoff_ms"
    | "grpc.use_local_subchannel_pool"
    | "grpc.enable_http_proxy"
  >
> &
  Pick<ChannelOptions, "grpc.keepalive_time_ms" | "grpc.keepalive_timeout_ms">;

function channelOptions(options: GrpcTransportOptions): UsedChannelOptions {
  const local = options.address.startsWith("unix:");
  const keepaliveMs = options.keepaliveMs ?? (local ? undefined : 30_000);
  return {
    "grpc.max_receive_message_length": RECEIVED_BYTES,
    "grpc.max_send_message_length": SENT_BYTES,
    "grpc.initial_reconnect_backoff_ms": options.reconnectMinMs ?? 100,
    "grpc.max_reconnect_backoff_ms": options.reconnectMaxMs ?? 500,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_http_proxy": 0,
    ...(keepaliveMs === undefined
      ? {}
      : { "grpc.keepalive_time_ms": keepaliveMs, "grpc.keepalive_timeout_ms": 10_000 }),
  };
}

/** Writes all requests, no faster than the worker reads them. */
async function writeAll<Request>(
  call: ClientWritableStream<Request>,
  requests: AsyncIterable<Request>,
): Promise<void> {
  for await (const request of requests) {
    if (call.destroyed || call.writableEnded) return;
    if (!call.write(request)) await drained(call);
  }
  call.end();
}

function drained(call: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error", "status"]) call.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error", "status"]) call.on(event, done);
  });
}

/** Translates gRPC's error: from the worker's ErrorDetail if there is one, else from the status. */
function fromServiceError(error: ServiceError, path: string): LadError {
  const bytes = error.metadata?.get(ERROR_KEY)[0];
  const detail = decodeErrorDetail(bytes instanceof Uint8Array ? bytes : undefined);
  if (detail !== undefined) return fromErrorDetail(detail, error);
  if (error.code === status.RESOURCE_EXHAUSTED && /larger than/.test(error.details)) {
    return tooLarge(error, path);
  }
  const [code, text] = STATUS[error.code] ?? ["internal", "failed"];
  return new LadError(code, `The call ${path} ${text}: ${error.details || error.message}.`, { cause: error });
}

/** The error for a message that one side rejected for its length, before it received it. */
function tooLarge(error: ServiceError, path: string): LadError {
  const isRequest = /^Attempted to send|^SERVER: Received/.test(error.details);
  const [what, limit] = isRequest ? ["request", SENT_BYTES] : ["reply", RECEIVED_BYTES];
  const mebibytes = limit / 2 ** 20;
  const text = `The ${what} of ${path} is larger than the ${mebibytes} MiB that a ${what} may have.`;
  return new LadError("invalid-option", text, {
    remedy: "Send or ask for less at once: shorter prompts, fewer canvases, sequences or texts.",
    cause: error,
  });
}

const STATUS: Partial<Record<status, [LadErrorCode, string]>> = {
  [status.CANCELLED]: ["unavailable", "was ended by the worker"], // calls that this side cancels have their own reason
  [status.INVALID_ARGUMENT]: ["invalid-option", "was refused"],
  [status.DEADLINE_EXCEEDED]: ["timeout", "took too long"],
  [status.NOT_FOUND]: ["not-found", "found nothing"],
  [status.ALREADY_EXISTS]: ["already-exists", "was refused"],
  [status.PERMISSION_DENIED]: ["access-denied", "was refused"],
  [status.RESOURCE_EXHAUSTED]: ["out-of-memory", "was too much for the worker"],
  [status.FAILED_PRECONDITION]: ["invalid-state", "was refused"],
  [status.UNIMPLEMENTED]: ["version-mismatch", "is not known to this worker"],
  [status.UNAVAILABLE]: ["unavailable", "did not reach the worker"],
  [status.DATA_LOSS]: ["storage", "failed"],
  [status.UNAUTHENTICATED]: ["unauthenticated", "was refused"],
};

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}
