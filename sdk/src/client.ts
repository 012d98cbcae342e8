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

/** What every handle of one worker shares: the transport, and where warnings go. */
export class Client {
  readonly warn: Warn;
  readonly #transport: Transport;
  #closed = false;

  constructor(transport: Transport, warn: Warn) {
    this.#transport = transport;
    this.warn = warn;
  }

  /** One request, one reply. */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    settings: CallSettings = {},
  ): Promise<Response> {
    const { idempotent = false, ...options } = settings;
    const waits = idempotent ? RETRY_WAITS_MS : [];
    for (let tries = 0; ; tries++) {
      try {
        return await this.#transport.unary(method, request, options);
      } catch (error) {
        const wait = waits[tries];
        if (wait === undefined || !this.mayRetry(error)) throw error;
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
