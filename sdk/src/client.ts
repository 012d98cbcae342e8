import { setTimeout as sleep } from "node:timers/promises";
import type { Warn } from "./checks/check.js";
import { cancelled, isLadError } from "./errors.js";
import { boundOf } from "./grpc/deadlines.js";
import { Liveness, type LivenessSettings } from "./grpc/liveness.js";
import { TimeLimit } from "./grpc/time-limit.js";
import type { Dataset } from "./options.js";
import { Shared } from "./shared.js";
import type { Method, Transport, TransportOptions } from "./transport.js";
import { isIdempotent } from "./wire.js";

/** What a call may be given. */
export interface CallSettings extends TransportOptions {
  /** Whether the call may be sent again where it is not known to have arrived. Default: as the protocol says of its method. */
  idempotent?: boolean;
}

/** Waits between the tries of an idempotent call. */
const RETRY_WAITS_MS: readonly number[] = [100, 250, 600];
/** How often a call that a busy worker refused is sent again, each time after as long as the worker asks for. */
const BUSY_TRIES = 5;
const LEAVE_MS = 5_000;

/** What every handle of one worker shares: the transport, whether the worker lives, and where warnings go. */
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
      datasets: new Shared(),
      told: new Set(),
      closed: false,
    };
    this.#limit = view?.limit;
  }

  /**
   * The same client for what one method asks: all of it ends with the error `timeout` so many milliseconds from now. Default: as
   * each call's kind has it; 0 and Infinity: never.
   */
  within(timeoutMs: number | undefined): Client {
    if (timeoutMs === undefined) return this;
    const connection = this.#connection;
    return new Client(connection.transport, this.warn, {}, { connection, limit: new TimeLimit(timeoutMs) });
  }

  /**
   * One request, one reply. A busy worker is asked again, whatever the call: it has refused it before it did anything.
   *
   * @throws LadError `busy` when it is so for longer, `timeout`
   */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    settings: CallSettings = {},
  ): Promise<Response> {
    return this.#asked(method, request, () => request, settings);
  }

  /**
   * Many requests, one reply. A busy worker is asked again, as by `call`.
   *
   * @param requests - gives them from the first on, each time that they are sent
   * @throws LadError `busy`, `timeout`
   */
  upload<Request, Response>(
    method: Method<Request, Response>,
    requests: () => AsyncIterable<Request>,
    settings: CallSettings = {},
  ): Promise<Response> {
    return this.#asked(method, undefined, requests, settings);
  }

  /** One request, many replies; see {@link Transport.serverStream}. */
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
   * Brings a data set to the worker, once for all who want it at the same time: each waits until its own signal or time limit ends,
   * and the work goes on for as long as one of them does.
   *
   * @param method - what a wait that ends early is told as
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

  /** Warns of something that is worth one warning, however often it is come upon. */
  warnOnce(message: string): void {
    if (this.#connection.told.has(message)) return;
    this.#connection.told.add(message);
    this.warn(message);
  }

  /** Whether the worker was out of reach for a moment, rather than gone or unwilling. */
  mayRetry(error: unknown): boolean {
    return !this.#connection.closed && isLadError(error, "unavailable");
  }

  /** Notes a run's end that was asked for: what the run uses is free once it is there. */
  ends(ending: Promise<unknown>): void {
    this.#connection.endings.add(ending);
    const forget = () => this.#connection.endings.delete(ending);
    ending.then(forget, forget);
  }

  /** Comes back when the runs that this side has asked to end have ended, or failed to. */
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

  /** Notes how to end a run that is followed; the function that forgets it. */
  follows(cancel: () => Promise<void>): () => void {
    this.#connection.followed.add(cancel);
    return () => this.#connection.followed.delete(cancel);
  }

  /** Cancels every run that is followed, as leaving its loop would; comes back when they have ended, or after a while. */
  async leave(): Promise<void> {
    if (this.#connection.followed.size === 0) return;
    const ended = Promise.all([...this.#connection.followed].map((cancel) => cancel()));
    await Promise.race([ended, sleep(LEAVE_MS, undefined, { ref: false })]);
  }

  close(): void {
    this.#connection.closed = true;
    this.#connection.transport.close();
  }

  /** Sends what `requests` gives until it is answered, or refused for good. */
  async #asked<Request, Response>(
    method: Method<Request, Response>,
    request: Request | undefined,
    requests: () => Request | AsyncIterable<Request>,
    { idempotent = isIdempotent(method), ...options }: CallSettings,
  ): Promise<Response> {
    const waits = idempotent ? [...RETRY_WAITS_MS] : [];
    const { signal, release } = this.#bounded(method, request, options);
    try {
      for (let busy = 0; ; ) {
        try {
          const reply = await this.#connection.transport.unary(method, requests(), { signal });
          this.#connection.liveness.heard();
          return reply;
        } catch (error) {
          const wait = isLadError(error, "busy")
            ? busy++ < BUSY_TRIES && error.retryAfterMs
            : this.mayRetry(error) && waits.shift();
          if (!wait) throw error;
          await pause(wait, signal);
        }
      }
    } finally {
      release();
    }
  }

  /** One signal for whatever ends a call from this side: the caller's own, its time limit, a worker that does not answer. */
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

/** What the views of one client have in common. */
interface Connection {
  readonly transport: Transport;
  readonly liveness: Liveness;
  /** How to end each run that is followed. */
  readonly followed: Set<() => Promise<void>>;
  /** Ends of runs that were asked for and have not come. */
  readonly endings: Set<Promise<unknown>>;
  /** On their way to the worker, by their ids. */
  readonly datasets: Shared<Dataset>;
  /** What is warned of once. */
  readonly told: Set<string>;
  closed: boolean;
}

interface View {
  readonly connection: Connection;
  readonly limit: TimeLimit;
}

/**
 * Waits.
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
