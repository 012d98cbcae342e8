/** A worker in this process, for tests: handlers instead of a network, with the wire's encoding in between. */
import { cancelled, isLadError, LadError } from "../errors.js";
import type { Method, Transport, TransportOptions } from "../transport.js";
import { fromErrorDetail, toErrorDetail } from "../wire.js";

type UnaryHandler<Request, Response> = (
  request: Request,
  signal: AbortSignal,
) => Response | Promise<Response>;
type UploadHandler<Request, Response> = (
  requests: AsyncIterable<Request>,
  signal: AbortSignal,
) => Promise<Response>;
type StreamHandler<Request, Response> = (request: Request, signal: AbortSignal) => AsyncIterable<Response>;

/** One call that was made, as the worker got it. */
export interface RecordedCall {
  readonly path: string;
  /** Undefined for a stream of requests. */
  readonly request: unknown;
}

type AnyHandler = (request: never, signal: AbortSignal) => unknown;

/**
 * Answers calls with handlers. Requests and replies are encoded and decoded as on the wire, errors become ErrorDetail and
 * back, so that nothing passes here that would not pass there.
 */
export class InMemoryTransport implements Transport {
  /** Every call so far, in order. */
  readonly calls: RecordedCall[] = [];
  /** Streams that were opened and have not ended. */
  openStreams = 0;
  readonly #handlers = new Map<string, AnyHandler>();
  readonly #closed = new AbortController();

  /** Answers a method with one reply. */
  onCall<Request, Response>(
    method: Method<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): this {
    this.#handlers.set(method.path, handler as AnyHandler);
    return this;
  }

  /** Answers a method that takes a stream of requests. */
  onUpload<Request, Response>(
    method: Method<Request, Response>,
    handler: UploadHandler<Request, Response>,
  ): this {
    this.#handlers.set(method.path, handler as AnyHandler);
    return this;
  }

  /** Answers a method with a stream of replies. */
  onStream<Request, Response>(
    method: Method<Request, Response>,
    handler: StreamHandler<Request, Response>,
  ): this {
    this.#handlers.set(method.path, handler as AnyHandler);
    return this;
  }

  /** The requests that came for a method. */
  requestsOf<Request, Response>(method: Method<Request, Response>): Request[] {
    return this.calls.filter(({ path }) => path === method.path).map(({ request }) => request as Request);
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request | AsyncIterable<Request>,
    options: TransportOptions = {},
  ): Promise<Response> {
    const { handler, signal } = this.#open(method, options);
    const given = method.requestStream
      ? copies(request as AsyncIterable<Request>, (one) => requestCopy(method, one))
      : requestCopy(method, request as Request);
    this.calls.push({ path: method.path, request: method.requestStream ? undefined : given });
    const reply = (async () => handler(given as never, signal))();
    try {
      return responseCopy(method, (await Promise.race([reply, aborted(signal)])) as Response);
    } catch (error) {
      throw asSent(error, signal, method.path);
    }
  }

  async *serverStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: TransportOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    const { handler, signal, end } = this.#open(method, options);
    const given = requestCopy(method, request);
    this.calls.push({ path: method.path, request: given });
    const replies = (handler(given as never, signal) as AsyncIterable<Response>)[Symbol.asyncIterator]();
    this.openStreams++;
    try {
      while (true) {
        const result = await Promise.race([replies.next(), aborted(signal)]);
        if (result.done) return;
        yield responseCopy(method, result.value);
      }
    } catch (error) {
      throw asSent(error, signal, method.path);
    } finally {
      this.openStreams--;
      end.abort();
      void replies.return?.();
    }
  }

  close(): void {
    this.#closed.abort(new LadError("unavailable", "The connection to the worker was closed by this side."));
  }

  #open(method: { path: string }, { signal, timeoutMs }: TransportOptions) {
    const handler = this.#handlers.get(method.path);
    if (handler === undefined) {
      throw new LadError("version-mismatch", `The call ${method.path} is not known to this worker.`);
    }
    const end = new AbortController();
    const signals = [this.#closed.signal, end.signal];
    if (signal !== undefined) signals.push(signal);
    if (timeoutMs !== undefined) signals.push(AbortSignal.timeout(timeoutMs));
    const any = AbortSignal.any(signals);
    if (any.aborted) throw asSent(undefined, any, method.path);
    return { handler, signal: any, end };
  }
}

function requestCopy<Request, Response>(method: Method<Request, Response>, request: Request): Request {
  return method.requestDeserialize(method.requestSerialize(request));
}

function responseCopy<Request, Response>(method: Method<Request, Response>, response: Response): Response {
  return method.responseDeserialize(method.responseSerialize(response));
}

async function* copies<Item>(items: AsyncIterable<Item>, copy: (item: Item) => Item) {
  for await (const item of items) yield copy(item);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** What the caller of a real worker would get. */
function asSent(error: unknown, signal: AbortSignal, path: string): unknown {
  if (signal.aborted) {
    const { reason } = signal;
    if (reason instanceof DOMException && reason.name === "TimeoutError") {
      return new LadError("timeout", `The call ${path} took too long.`, { cause: reason });
    }
    return cancelled(`The call ${path}`, signal);
  }
  return isLadError(error) ? fromErrorDetail(toErrorDetail(error)) : error;
}
