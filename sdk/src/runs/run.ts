/** Runs: work that goes on in the worker whether or not anybody follows it, and keeps a log of numbered events. */

import { check } from "../checks/check.js";
import { abortSignal, integer } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type Client, pause } from "../client.js";
import { LadError } from "../errors.js";
import { type CallOptions, callOptions } from "../options.js";
import type { TransportOptions } from "../transport.js";
import {
  fromEvent,
  fromRun,
  type NumberedEvent,
  present,
  type RunEvent,
  type RunInfo,
  RunsService,
} from "../wire.js";

/** From where and how long to follow a run. */
export interface FollowOptions {
  /** The first event wanted: an integer from 0 to 9,007,199,254,740,991. Default: 0, the run's first. */
  fromSeq?: number | undefined;
  /** Stops following with the error `cancelled`; the run goes on. Default: none. */
  signal?: AbortSignal | undefined;
}

export const followOptions = fieldsOf<FollowOptions>()({
  fromSeq: integer(0, Number.MAX_SAFE_INTEGER).default(0),
  signal: abortSignal().optional(),
});

/** A run by its id, started here or elsewhere. */
export class Run {
  /** The run's id on the worker. */
  readonly id: string;
  readonly #client: Client;

  /** @internal */
  constructor(client: Client, id: string) {
    this.#client = client;
    this.id = id;
  }

  /**
   * What the run is doing now.
   *
   * @throws LadError `not-found` when the worker knows no such run
   */
  async info(options: CallOptions = {}): Promise<RunInfo> {
    const { signal, timeoutMs } = check(callOptions, options);
    const reply = await this.#client
      .within(timeoutMs)
      .call(RunsService.getRun, { runId: this.id }, { signal });
    return fromRun(present(reply.run, "a run"));
  }

  /** The run's events from a number on, then live ones, up to its last. Leaving the loop leaves the run going. */
  events(options: FollowOptions = {}): AsyncIterable<NumberedEvent> {
    return followEvents(this.#client, this.id, check(followOptions, options));
  }

  /**
   * Stops a training run after the step in hand until it is resumed. It then holds no gradients, and its optimizer waits on the
   * worker's disk.
   *
   * @throws LadError `invalid-state` for a run of sampling, or one that has ended
   */
  async pause(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    await pauseRun(this.#client.within(timeoutMs), this.id, signal);
  }

  /**
   * Lets a paused run go on, to the very numbers it would have come to. Resuming one that is not paused changes nothing.
   *
   * @throws LadError `out-of-memory` where it no longer fits beside what has been started since; it stays paused
   */
  async resume(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    await resumeRun(this.#client.within(timeoutMs), this.id, signal);
  }

  /**
   * Ends the run within one micro-step; comes back when it has ended, so that what it used is free. Cancelling a run that has
   * ended changes nothing.
   */
  async cancel(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    await cancelRun(this.#client.within(timeoutMs), this.id, { signal });
  }
}

/** Has a run end, and comes back when it has; one that is not there yet never begins. */
export function cancelRun(client: Client, runId: string, options: TransportOptions = {}): Promise<unknown> {
  const request = { runId, wait: true };
  const ending = client.call(RunsService.cancelRun, request, { ...options });
  client.ends(ending);
  return ending;
}

export async function pauseRun(client: Client, runId: string, signal?: AbortSignal): Promise<void> {
  await client.call(RunsService.pauseRun, { runId }, { signal });
}

export async function resumeRun(client: Client, runId: string, signal?: AbortSignal): Promise<void> {
  await client.call(RunsService.resumeRun, { runId }, { signal });
}

const RECONNECT_WAITS_MS: readonly number[] = [100, 250, 600, 1500];

/** Follows a run to its last event; where the connection breaks, it goes on after the last event that came. */
export async function* followEvents(
  client: Client,
  runId: string,
  { fromSeq = 0, signal }: FollowOptions = {},
): AsyncGenerator<NumberedEvent, void, undefined> {
  let next = fromSeq;
  let failures = 0;
  while (true) {
    try {
      for await (const message of client.stream(
        RunsService.streamEvents,
        { runId, fromSeq: BigInt(next) },
        { signal },
      )) {
        const event = fromEvent(message);
        next = event.seq + 1;
        failures = 0;
        yield event;
        if (isEnd(event.event)) return;
      }
      throw new LadError("unavailable", `The events of run ${runId} ended before the run did.`);
    } catch (error) {
      const wait = RECONNECT_WAITS_MS[failures++];
      if (wait === undefined || !client.mayRetry(error)) throw error;
      await pause(wait, signal);
    }
  }
}

/** Whether nothing comes after an event. */
export function isEnd({ type }: RunEvent): boolean {
  return type === "finished" || type === "sampled" || type === "failed" || type === "cancelled";
}
