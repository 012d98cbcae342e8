import type { Client } from "./client.js";
import { cancelled, isLadError } from "./errors.js";
import { followEvents, isEnd } from "./run.js";
import { type RunEvent, RunsService } from "./wire.js";

/** How a run is begun. */
export interface RunStart {
  /** Starts it on the worker and gives its id. `watched`: whether its events will be read, or only its result. */
  start(watched: boolean): Promise<string>;
  /** Leave the run going when its events are no longer read. */
  readonly detached: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * A run on the worker that this side starts: nothing happens until its events are read, its `result()` is asked for, or
 * `start()` is called.
 *
 * Leaving a `for await` loop early cancels the run, unless it is detached; so does an aborted signal.
 */
export abstract class RunStream<Event extends RunEvent, Result> implements AsyncIterable<Event> {
  readonly #client: Client;
  readonly #begin: RunStart;
  #started: Promise<string> | undefined;
  #runId: string | undefined;
  #result: Promise<Result> | undefined;
  /** The first event that no reader has seen yet. */
  #unseen = 0;
  #end: RunEvent | undefined;

  constructor(client: Client, begin: RunStart) {
    this.#client = client;
    this.#begin = begin;
  }

  /** The run's id, by which `runtime.run(id)` follows it from anywhere; undefined until the run has started. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** Starts the run without following it; the id. Starting a run twice changes nothing. */
  start(): Promise<string> {
    return this.#start(true);
  }

  [Symbol.asyncIterator](): AsyncIterator<Event> {
    return this.#follow(0, true);
  }

  /**
   * What the run comes to, once it has ended.
   *
   * @throws LadError `cancelled` for a cancelled run, else the run's own error
   */
  result(): Promise<Result> {
    this.#result ??= this.#finish();
    return this.#result;
  }

  /** Ends the run within one micro-step; a run that has not started never will. */
  async cancel(): Promise<void> {
    if (this.#started === undefined) {
      this.#started = Promise.reject(cancelled("The run"));
      this.#started.catch(() => {});
      return;
    }
    const runId = await this.#started.catch(() => undefined);
    if (runId === undefined) return;
    await this.#client.call(RunsService.cancelRun, { runId, wait: false }, { idempotent: true });
  }

  /** Narrows an event to this kind of run, and notes what the result is made of. */
  protected abstract accept(event: RunEvent): Event;

  /** The result, once the last event has been accepted. */
  protected abstract conclude(): Result;

  async #finish(): Promise<Result> {
    if (this.#end === undefined) for await (const _ of this.#follow(this.#unseen, false));
    if (this.#end?.type === "failed") throw this.#end.error;
    if (this.#end?.type === "cancelled") throw cancelled(`The run ${this.#runId}`, this.#begin.signal);
    return this.conclude();
  }

  async *#follow(fromSeq: number, watched: boolean): AsyncGenerator<Event, void, undefined> {
    const { signal, detached } = this.#begin;
    const runId = await this.#start(watched);
    try {
      for await (const { seq, event } of followEvents(this.#client, runId, { fromSeq, signal })) {
        this.#unseen = Math.max(this.#unseen, seq + 1);
        if (isEnd(event)) this.#end = event;
        if (event.type === "failed") throw event.error;
        yield this.accept(event);
      }
    } finally {
      if (this.#end === undefined && !detached) await this.#cancelQuietly(runId);
    }
  }

  #start(watched: boolean): Promise<string> {
    this.#started ??= this.#startOnce(watched);
    return this.#started;
  }

  async #startOnce(watched: boolean): Promise<string> {
    const { signal } = this.#begin;
    if (signal?.aborted) throw cancelled("The run", signal);
    this.#runId = await this.#begin.start(watched);
    return this.#runId;
  }

  /** The loop was left: the worker should stop, and its failure to answer is nobody's concern. */
  async #cancelQuietly(runId: string): Promise<void> {
    try {
      await this.#client.call(
        RunsService.cancelRun,
        { runId, wait: false },
        { timeoutMs: 10_000, idempotent: true },
      );
    } catch (error) {
      if (!isLadError(error)) throw error;
    }
  }
}
