/** Runs on the worker. A run continues whether or not it is followed, and has a log of numbered events. */

import { check } from "../checks/check.js";
import { abortSignal, integer } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type Client, pause } from "../client.js";
import { LadError } from "../errors.js";
import { type CallOptions, callOptions, type RunSpecification } from "../options.js";
import type { TransportOptions } from "../transport.js";
import {
  fromEvent,
  fromRun,
  fromRunSpec,
  type NumberedEvent,
  present,
  type RunEvent,
  type RunInfo,
  RunsService,
} from "../wire.js";

/** Options for following a run. */
export interface FollowOptions {
  /** The number of the first event to read: an integer from 0 to 9,007,199,254,740,991. Default: 0, the run's first. */
  fromSeq?: number | undefined;
  /** Stops following with the error `cancelled`; the run continues. Default: none. */
  signal?: AbortSignal | undefined;
}

export const followOptions = fieldsOf<FollowOptions>()({
  fromSeq: integer(0, Number.MAX_SAFE_INTEGER).default(0),
  signal: abortSignal().optional(),
});

/** A run by its id, started here or elsewhere, also on an earlier worker of the same state folder. */
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
   * Reads the run's present state.
   *
   * @throws LadError `not-found` if the worker has no such run
   */
  async info(options: CallOptions = {}): Promise<RunInfo> {
    const { signal, timeoutMs } = check(callOptions, options);
    const reply = await this.#client
      .within(timeoutMs)
      .call(RunsService.getRun, { runId: this.id }, { signal });
    return fromRun(present(reply.run, "a run"));
  }

  /**
   * Reads how the run was specified, with every default decided: `train({ ...training, data })` asks for the same once more.
   *
   * @throws LadError `not-found` if the worker has no such run; `version-mismatch` if another version of it kept the run
   */
  async specification(options: CallOptions = {}): Promise<RunSpecification> {
    const { signal, timeoutMs } = check(callOptions, options);
    const request = { runId: this.id };
    return fromRunSpec(
      await this.#client.within(timeoutMs).call(RunsService.getRunSpec, request, { signal }),
    );
  }

  /** Yields the run's logged events from a number on, then live ones, up to the last. Leaving the loop does not end the run. */
  events(options: FollowOptions = {}): AsyncIterable<NumberedEvent> {
    return followEvents(this.#client, this.id, check(followOptions, options));
  }

  /**
   * Pauses a training run after its current step until it is resumed. A paused run holds no gradients, and its optimizer state is on
   * the worker's disk.
   *
   * @throws LadError `invalid-state` for a sampling run, or one that has ended
   */
  async pause(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    await pauseRun(this.#client.within(timeoutMs), this.id, signal);
  }

  /**
   * Resumes a paused run, which then computes the same numbers as without the pause, or a training run that its worker's end has
   * interrupted. That has its base loaded and its adapter made under its old id, and goes on from its last checkpoint to the bits of
   * a run that was never interrupted; without one from its start, if its adapter was new. Resolves when it goes on. Does nothing if
   * the run is neither.
   *
   * @throws LadError `out-of-memory` if the run does not fit together with what was started since: it stays as it is. For an interrupted
   *   run `invalid-state` if it would not be the same run, `already-exists` if there is an adapter of that id, `not-found` if its base
   *   or its data is gone
   */
  async resume(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    await resumeRun(this.#client.within(timeoutMs), this.id, signal);
  }

  /**
   * Ends the run within one micro-step; resolves when it has ended, so that its resources are free. Does nothing if the run has
   * ended.
   */
  async cancel(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    await cancelRun(this.#client.within(timeoutMs), this.id, { signal });
  }
}

/** Ends a run; resolves when it has ended. A run that does not exist yet never begins. */
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

/**
 * Follows a run to its last event. After a broken connection it continues after the last event received.
 *
 * @param opened - the events from `fromSeq` on, of a call that is under way. Default: they are asked for
 */
export async function* followEvents(
  client: Client,
  runId: string,
  { fromSeq = 0, signal }: FollowOptions = {},
  opened?: AsyncIterable<NumberedEvent>,
): AsyncGenerator<NumberedEvent, void, undefined> {
  let next = fromSeq;
  let failures = 0;
  let events = opened;
  while (true) {
    try {
      for await (const event of events ?? askedEvents(client, runId, next, signal)) {
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
      events = undefined;
    }
  }
}

async function* askedEvents(client: Client, runId: string, fromSeq: number, signal: AbortSignal | undefined) {
  const request = { runId, fromSeq: BigInt(fromSeq) };
  for await (const message of client.stream(RunsService.streamEvents, request, { signal })) {
    yield fromEvent(message);
  }
}

const ENDS: ReadonlySet<RunEvent["type"]> = new Set([
  "finished",
  "sampled",
  "failed",
  "cancelled",
  "interrupted",
]);

/** Whether an event is a run's last, or that of an interrupted run until it is resumed. */
export function isEnd({ type }: RunEvent): boolean {
  return ENDS.has(type);
}
