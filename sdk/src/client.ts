import { setTimeout as sleep } from "node:timers/promises";
import type { Warn } from "./check.js";
import { cancelled, isLadError } from "./errors.js";
import type { Method, Transport, TransportOptions } from "./transport.js";

/** What a call may be given. */
export interface CallSettings extends TransportOptions {
  /** Whether the call may be sent again where it is not known to have arrived. Default false. */
  idempotent?: boolean;
}

/** Waits between the tries of an idempotent call. */
const RETRY_WAITS_MS: readonly number[] = [100, 250, 600];
/** How often a call that a busy worker refused is sent again, each time after as long as the worker asks for. */
const BUSY_TRIES = 5;
const LEAVE_MS = 5_000;

/** What every handle of one worker shares: the transport, and where warnings go. */
export class Client {
  readonly warn: Warn;
  readonly #transport: Transport;
  readonly #followed = new Set<() => Promise<void>>();
  readonly #endings = new Set<Promise<unknown>>();
  #closed = false;

  constructor(transport: Transport, warn: Warn) {
    this.#transport = transport;
    this.warn = warn;
  }

  /**
   * One request, one reply. A busy worker is asked again, whatever the call: it has refused it before it did anything.
   *
   * @throws LadError `busy` when it is so for longer
   */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    settings: CallSettings = {},
  ): Promise<Response> {
    const { idempotent = false, ...options } = settings;
    const waits = idempotent ? [...RETRY_WAITS_MS] : [];
    for (let busy = 0; ; ) {
      try {
        return await this.#transport.unary(method, request, options);
      } catch (error) {
        const wait = isLadError(error, "busy")
          ? busy++ < BUSY_TRIES && error.retryAfterMs
          : this.mayRetry(error) && waits.shift();
        if (!wait) throw error;
        await pause(wait, options.signal);
      }
    }
  }

  /** Many requests, one reply. */
  upload<Request, Response>(
    method: Method<Request, Response>,
    requests: AsyncIterable<Request>,
    options: TransportOptions = {},
  ): Promise<Response> {
    return this.#transport.unary(method, requests, options);
  }

  /** One request, many replies; see {@link Transport.serverStream}. */
  stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: TransportOptions = {},
  ): AsyncIterable<Response> {
    return this.#transport.serverStream(method, request, options);
  }

  /** Whether the worker was out of reach for a moment, rather than gone or unwilling. */
  mayRetry(error: unknown): boolean {
    return !this.#closed && isLadError(error, "unavailable");
  }

  /** Notes a run's end that was asked for: what the run uses is free once it is there. */
  ends(ending: Promise<unknown>): void {
    this.#endings.add(ending);
    const forget = () => this.#endings.delete(ending);
    ending.then(forget, forget);
  }

  /** Comes back when the runs that this side has asked to end have ended, or failed to. */
  async endings(signal?: AbortSignal): Promise<void> {
    if (this.#endings.size === 0 || signal?.aborted) return;
    const given = new AbortController();
    const ended = Promise.allSettled(this.#endings);
    const aborted = new Promise<void>((resolve) => {
      signal?.addEventListener("abort", () => resolve(), { signal: given.signal });
    });
    await Promise.race([ended, aborted]);
    given.abort();
  }

  /** Notes how to end a run that is followed; the function that forgets it. */
  follows(cancel: () => Promise<void>): () => void {
    this.#followed.add(cancel);
    return () => this.#followed.delete(cancel);
  }

  /** Cancels every run that is followed, as leaving its loop would; comes back when they have ended, or after a while. */
  async leave(): Promise<void> {
    if (this.#followed.size === 0) return;
    const ended = Promise.all([...this.#followed].map((cancel) => cancel()));
    await Promise.race([ended, sleep(LEAVE_MS, undefined, { ref: false })]);
  }

  close(): void {
    this.#closed = true;
    this.#transport.close();
  }
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
