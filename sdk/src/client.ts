import { setTimeout as sleep } from "node:timers/promises";
import type { Warn } from "./checks/check.js";
import { cancelled, isLadError, LadError } from "./errors.js";
import { boundOf } from "./grpc/deadlines.js";
import { Liveness, type LivenessSettings } from "./grpc/liveness.js";
import { TimeLimit } from "./grpc/time-limit.js";
import type { Dataset } from "./options.js";
import { SingleFlight } from "./single-flight.js";
import type { Method, Transport, TransportOptions } from "./transport.js";
import { isIdempotent } from "./wire.js";

/** Settings of a call. */
export interface CallSettings extends TransportOptions {
  /** Whether the call may be sent again if it is not known to have arrived. Default: as the protocol says for its method. */
  idempotent?: boolean;
}

/** A call with many replies, the first of which has come. */
export interface Opened<Response> {
  readonly first: Response;
  /** To be read once; leaving it ends the call. */
  readonly rest: AsyncGenerator<Response, void, undefined>;
}

/** The waits between the tries of an idempotent call, in milliseconds. */
const RETRY_WAITS_MS: readonly number[] = [100, 250, 600];
/** How often a call is sent again that a busy worker rejected, each time after the wait that the worker asks for. */
const BUSY_TRIES = 5;
const LEAVE_MS = 5_000;

/** The state that all handles of one worker share: the transport, the worker's liveness, and the handler of warnings. */
export class Client {
  readonly warn: Warn;
  readonly #connection: Connection;
  readonly #limit: TimeLimit | undefined;

  constructor(transport: Transport, warn: Warn, settings: LivenessSettings = {}, view?: View) {
    this.warn = warn;
    this.#connection = view?.connection ?? {
      transport,
      liveness: new Liveness(transport, settings),
      followed: new Set(),
      endings: new Set(),
      datasets: new SingleFlight(),
      told: new Set(),
      closed: false,
    };
    this.#limit = view?.limit;
  }

  /**
   * A view of this client for one method: all of its calls together end with the error `timeout` after so many milliseconds.
   * Default: the limit of each call's kind; 0 and Infinity: no limit.
   */
  within(timeoutMs: number | undefined): Client {
    if (timeoutMs === undefined) return this;
    const connection = this.#connection;
    return new Client(connection.transport, this.warn, {}, { connection, limit: new TimeLimit(timeoutMs) });
  }

  /**
   * Sends one request and returns one reply. If the worker is busy, the call is sent again, even if it is not idempotent: a busy
   * worker rejects calls before it does anything.
   *
   * @throws LadError `busy` if the worker stays busy, `timeout`
   */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    settings: CallSettings = {},
  ): Promise<Response> {
    return this.#asked(method, request, () => request, settings);
  }

  /**
   * Sends many requests and returns one reply. If the worker is busy, they are sent again, as by `call`.
   *
   * @param requests - makes the requests from the first on, for each try
   * @throws LadError `busy`, `timeout`
   */
  upload<Request, Response>(
    method: Method<Request, Response>,
    requests: () => AsyncIterable<Request>,
    settings: CallSettings = {},
  ): Promise<Response> {
    return this.#asked(method, undefined, requests, settings);
  }

  /** Sends one request and yields many replies; see {@link Transport.serverStream}. */
  async *stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: TransportOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    const { signal, release } = this.#bounded(method, request, options);
    try {
      for await (const reply of this.#connection.transport.serverStream(method, request, { signal })) {
        this.#connection.liveness.heard();
        yield reply;
      }
    } finally {
      release();
    }
  }

  /**
   * Sends one request and returns the first of many replies, with those that follow it. Until the first has come, the request is sent again
   * as by `call`.
   *
   * @throws LadError `busy`, `timeout`
   */
  open<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { idempotent = isIdempotent(method), ...options }: CallSettings = {},
  ): Promise<Opened<Response>> {
    const send = async () => {
      const replies = this.stream(method, request, options);
      const { done, value } = await replies.next();
      if (!done) return { first: value, rest: replies };
      throw new LadError("unavailable", `The call ${method.path} ended without a reply.`);
    };
    return this.#tried(send, idempotent, options.signal);
  }

  /**
   * Uploads a data set to the worker, once for all callers that want it at the same time. Each caller waits until its own signal
   * or time limit; the upload continues while at least one caller waits.
   *
   * @param method - the method that the error of an early end names
   */
  async bring<Request, Response>(
    datasetId: string,
    work: (client: Client, signal: AbortSignal) => Promise<Dataset>,
    method: Method<Request, Response>,
    options: TransportOptions = {},
  ): Promise<Dataset> {
    const { signal, release } = this.#bounded(method, undefined, options);
    const unlimited = this.within(0);
    try {
      return await this.#connection.datasets.join(datasetId, (stop) => work(unlimited, stop), signal);
    } finally {
      release();
    }
  }

  /** Emits a warning once, however often it is called with the same message. */
  warnOnce(message: string): void {
    if (this.#connection.told.has(message)) return;
    this.#connection.told.add(message);
    this.warn(message);
  }

  /** Whether an error means that the worker could not be reached for a moment, and neither ended nor rejected the call. */
  mayRetry(error: unknown): boolean {
    return !this.#connection.closed && isLadError(error, "unavailable");
  }

  /** Registers the end of a run that was asked to end. Once it resolves, the run's resources are free. */
  ends(ending: Promise<unknown>): void {
    this.#connection.endings.add(ending);
    const forget = () => this.#connection.endings.delete(ending);
    ending.then(forget, forget);
  }

  /** Waits until the runs that this side has asked to end have ended, or failed to. */
  async endings(signal?: AbortSignal): Promise<void> {
    if (this.#connection.endings.size === 0 || signal?.aborted) return;
    const given = new AbortController();
    const ended = Promise.allSettled(this.#connection.endings);
    let unwatch = () => {};
    const givenUp = new Promise<void>((resolve) => {
      signal?.addEventListener("abort", () => resolve(), { signal: given.signal });
      if (this.#limit !== undefined) unwatch = this.#limit.watch("endings", () => resolve());
    });
    await Promise.race([ended, givenUp]);
    unwatch();
    given.abort();
  }

  /** Registers how to cancel a run that is followed; returns the function that removes it. */
  follows(cancel: () => Promise<void>): () => void {
    this.#connection.followed.add(cancel);
    return () => this.#connection.followed.delete(cancel);
  }

  /** Cancels every run that is followed, as leaving its loop would, and waits for a limited time until they have ended. */
  async leave(): Promise<void> {
    if (this.#connection.followed.size === 0) return;
    const ended = Promise.all([...this.#connection.followed].map((cancel) => cancel()));
    await Promise.race([ended, sleep(LEAVE_MS, undefined, { ref: false })]);
  }

  close(): void {
    this.#connection.closed = true;
    this.#connection.transport.close();
  }

  /** Sends the requests until they are answered or the tries are used up. */
  async #asked<Request, Response>(
    method: Method<Request, Response>,
    request: Request | undefined,
    requests: () => Request | AsyncIterable<Request>,
    { idempotent = isIdempotent(method), ...options }: CallSettings,
  ): Promise<Response> {
    const { signal, release } = this.#bounded(method, request, options);
    const send = async () => {
      const reply = await this.#connection.transport.unary(method, requests(), { signal });
      this.#connection.liveness.heard();
      return reply;
    };
    try {
      return await this.#tried(send, idempotent, signal);
    } finally {
      release();
    }
  }

  /** Sends something until it is answered or the tries are used up. */
  async #tried<Reply>(
    send: () => Promise<Reply>,
    idempotent: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const waits = idempotent ? [...RETRY_WAITS_MS] : [];
    for (let busy = 0; ; ) {
      try {
        return await send();
      } catch (error) {
        const wait = isLadError(error, "busy")
          ? busy++ < BUSY_TRIES && error.retryAfterMs
          : this.mayRetry(error) && waits.shift();
        if (!wait) throw error;
        await pause(wait, signal);
      }
    }
  }

  /** One signal for all that can end a call from this side: the caller's signal, its time limit, a worker that does not answer. */
  #bounded<Request, Response>(
    method: Method<Request, Response>,
    request: Request | undefined,
    { signal, timeoutMs }: TransportOptions,
  ): { signal: AbortSignal; release: () => void } {
    const end = new AbortController();
    const onAbort = () => end.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort);
    const bound = timeoutMs ?? boundOf(method, request);
    const own = bound === "while-alive" ? this.#connection.liveness : new TimeLimit(bound);
    const unwatch = (this.#limit ?? own).watch(method.path, (reason) => end.abort(reason));
    const release = () => {
      unwatch();
      signal?.removeEventListener("abort", onAbort);
    };
    return { signal: end.signal, release };
  }
}

/** The state that all views of one client share. */
interface Connection {
  readonly transport: Transport;
  readonly liveness: Liveness;
  /** How to end each run that is followed. */
  readonly followed: Set<() => Promise<void>>;
  /** The ends of runs that were asked to end and have not ended yet. */
  readonly endings: Set<Promise<unknown>>;
  /** Data sets that are being uploaded, by their ids. */
  readonly datasets: SingleFlight<Dataset>;
  /** The messages that were warned of. */
  readonly told: Set<string>;
  closed: boolean;
}

interface View {
  readonly connection: Connection;
  readonly limit: TimeLimit;
}

/**
 * Waits for so many milliseconds.
 *
 * @throws LadError `cancelled` as soon as the signal is aborted
 */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted ? cancelled("The wait", signal) : error;
  }
}
