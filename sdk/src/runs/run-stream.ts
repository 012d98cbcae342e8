import type { Client } from "../client.js";
import { cancelled, isLadError } from "../errors.js";
import type { RunEvent } from "../wire.js";
import { newId } from "./making.js";
import { cancelRun, followEvents, isEnd } from "./run.js";

/** How long leaving a run waits for its end. */
const LEAVE_MS = 60_000;

/** What a run is started with. */
export interface AskedRun {
  /** The id that it is to have. */
  readonly runId: string;
  /** Whether its events will be read, or only its result. */
  readonly watched: boolean;
  /** Gives up the start. */
  readonly signal: AbortSignal;
}

/** How a run is begun. */
export interface RunStart {
  /** Starts it on the worker and gives its id. */
  start(asked: AskedRun): Promise<string>;
  /** Leave the run going when its events are no longer read. */
  readonly detached: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * A run on the worker that this side starts: nothing happens until its events are read, its `result()` is asked for, or
 * `start()` is called.
 *
 * Leaving a `for await` loop early cancels the run, unless it is detached; so does an aborted signal. Either waits until the run
 * has ended, so that what it used is free.
 */
export abstract class RunStream<Event extends RunEvent, Result> implements AsyncIterable<Event> {
  readonly #client: Client;
  readonly #begin: RunStart;
  /** Aborted when the run is cancelled while it is being started. */
  readonly #stop = new AbortController();
  /** Aborted when its end has been seen. */
  readonly #over = new AbortController();
  #started: Promise<string> | undefined;
  #runId: string | undefined;
  #isStarted = false;
  #leaving: Promise<void> | undefined;
  #result: Promise<Result> | undefined;
  /** The first event that no reader has seen yet. */
  #unseen = 0;
  #end: RunEvent | undefined;

  /** @internal */
  constructor(client: Client, begin: RunStart) {
    this.#client = client;
    this.#begin = begin;
  }

  /** The run's id, by which `runtime.run(id)` follows it from anywhere; undefined until the worker was asked to start it. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** Starts the run without following it; the id. Starting a run twice changes nothing. */
  start(): Promise<string> {
    return this.#start(true);
  }

  /** The run's events, from the first on. Leaving the loop cancels the run, unless it is detached. */
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

  /** Ends the run within one micro-step, and comes back when it has ended; a run that has not started never will. */
  async cancel(): Promise<void> {
    if (!this.#isStarted) this.#stop.abort(cancelled("The run"));
    const runId = await this.#start(false).catch(() => undefined);
    if (runId === undefined) return;
    await cancelRun(this.#client, runId);
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
    const forget = detached ? () => {} : this.#client.follows(() => this.#cancelQuietly(runId));
    try {
      for await (const { seq, event } of followEvents(this.#client, runId, { fromSeq, signal })) {
        this.#unseen = Math.max(this.#unseen, seq + 1);
        if (isEnd(event)) this.#ended(event);
        if (event.type === "failed") throw event.error;
        yield this.accept(event);
      }
    } finally {
      forget();
      if (this.#end === undefined && !detached) await this.#cancelQuietly(runId);
    }
  }

  #start(watched: boolean): Promise<string> {
    if (this.#started === undefined) {
      this.#started = this.#startOnce(watched);
      this.#started.catch(() => {}); // whoever asked for it gets the error
    }
    return this.#started;
  }

  async #startOnce(watched: boolean): Promise<string> {
    const { signal: given, detached } = this.#begin;
    const signal = AbortSignal.any([this.#stop.signal, ...(given === undefined ? [] : [given])]);
    if (signal.aborted) throw cancelled("The run", signal);
    this.#runId = newId("run");
    const runId = await this.#begin.start({ runId: this.#runId, watched, signal });
    this.#runId = runId;
    this.#isStarted = true;
    if (given !== undefined && !detached) {
      signal.addEventListener("abort", () => void this.#cancelQuietly(runId), { signal: this.#over.signal });
      if (signal.aborted) void this.#cancelQuietly(runId);
    }
    return runId;
  }

  #ended(event: RunEvent): void {
    this.#end = event;
    this.#over.abort();
  }

  /** Nobody wants the run any more: the worker should end it, and its failure to answer is nobody's concern. */
  #cancelQuietly(runId: string): Promise<void> {
    this.#leaving ??= this.#cancelOnce(runId);
    return this.#leaving;
  }

  async #cancelOnce(runId: string): Promise<void> {
    if (this.#end !== undefined) return;
    try {
      await cancelRun(this.#client, runId, { timeoutMs: LEAVE_MS });
    } catch (error) {
      if (!isLadError(error)) throw error;
    }
  }
}
