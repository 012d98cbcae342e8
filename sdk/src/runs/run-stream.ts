import type { Client } from "../client.js";
import { cancelled, isLadError, LadError } from "../errors.js";
import { TimeLimit } from "../grpc/time-limit.js";
import type { NumberedEvent, RunEvent } from "../wire.js";
import { newId } from "./creating.js";
import { cancelRun, followEvents, isEnd } from "./run.js";

/** How long leaving a run waits for its end, in milliseconds. */
const LEAVE_MS = 60_000;

/** The arguments of a run's start. */
export interface AskedRun {
  /** The run's id. */
  readonly runId: string;
  /** Whether its events will be read, or only its result. */
  readonly watched: boolean;
  /** Cancels the start. */
  readonly signal: AbortSignal;
}

/** A run that was started by a call that tells its events. */
export interface StartedRun {
  readonly runId: string;
  /** From the first on. To be read once; leaving them ends the call, and not the run. */
  readonly events: AsyncIterable<NumberedEvent>;
  /** Ends the call where nobody has read of them. */
  leave(): void;
}

/** How to start a run. */
export interface RunStart {
  /** Starts the run on the worker and returns its id. */
  start(asked: AskedRun): Promise<string>;
  /** Starts the run and follows it in one call. Default: in two calls. */
  open?(asked: AskedRun): Promise<StartedRun>;
  /** Whether the run continues when its events are no longer read. */
  readonly detached: boolean;
  readonly signal: AbortSignal | undefined;
  /** How long the run may take from its start on. Default: as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A run on the worker that this side starts. It starts when its events are read, or `result()` or `start()` is called.
 *
 * Leaving a `for await` loop early cancels the run, unless it is detached; so does an aborted signal. Both wait until the run has
 * ended, so that its resources are free.
 */
export abstract class RunStream<Event extends RunEvent, Result> implements AsyncIterable<Event> {
  readonly #client: Client;
  readonly #begin: RunStart;
  /** Aborted when the run is cancelled during its start. */
  readonly #stop = new AbortController();
  /** Aborted when the run's last event has been read. */
  readonly #over = new AbortController();
  /** Aborted by the caller, or when the run's time is up. */
  #signal: AbortSignal | undefined;
  #started: Promise<string> | undefined;
  /** The call that started the run, until somebody reads its events. */
  #opened: StartedRun | undefined;
  #runId: string | undefined;
  #isStarted = false;
  #leaving: Promise<void> | undefined;
  #result: Promise<Result> | undefined;
  /** The number of the first event that no reader has seen. */
  #unseen = 0;
  #end: RunEvent | undefined;

  /** @internal */
  constructor(client: Client, begin: RunStart) {
    this.#client = client;
    this.#begin = begin;
    this.#signal = begin.signal;
  }

  /** The run's id, with which `runtime.run(id)` follows it from anywhere; undefined until the worker is asked to start it. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** Starts the run without following it, and returns its id. A second start does nothing. */
  start(): Promise<string> {
    return this.#start(true, false);
  }

  /** Starts the run and begins to follow it, whose events the next iteration reads. */
  protected follow(): Promise<string> {
    return this.#start(true, true);
  }

  /** Yields the run's events from the first on. Leaving the loop cancels the run, unless it is detached. */
  [Symbol.asyncIterator](): AsyncIterator<Event> {
    return this.#follow(0, true);
  }

  /**
   * The run's result, once it has ended.
   *
   * @throws LadError `cancelled` for a cancelled run, else the run's own error
   */
  result(): Promise<Result> {
    this.#result ??= this.#finish();
    return this.#result;
  }

  /** Ends the run within one micro-step; resolves when it has ended. A run that has not started never will. */
  async cancel(): Promise<void> {
    if (!this.#isStarted) this.#stop.abort(cancelled("The run"));
    const runId = await this.#start(false, false).catch(() => undefined);
    if (runId === undefined) return;
    this.#opened?.leave();
    await cancelRun(this.#client, runId);
  }

  /** Narrows an event to this kind of run, and keeps what the result needs. */
  protected abstract accept(event: RunEvent): Event | Promise<Event>;

  /** The result, once the last event has been accepted. */
  protected abstract conclude(): Result | Promise<Result>;

  async #finish(): Promise<Result> {
    if (this.#end === undefined) for await (const _ of this.#follow(this.#unseen, false));
    if (this.#end?.type === "failed") throw this.#end.error;
    if (this.#end?.type === "interrupted") throw interrupted(this.#runId);
    if (this.#end?.type === "cancelled") throw cancelled(`The run ${this.#runId}`, this.#signal);
    return this.conclude();
  }

  async *#follow(fromSeq: number, watched: boolean): AsyncGenerator<Event, void, undefined> {
    const { detached } = this.#begin;
    const runId = await this.#start(watched, true);
    const signal = this.#signal;
    const opened = fromSeq === 0 ? this.#opened : undefined;
    this.#opened = undefined;
    const forget = detached ? () => {} : this.#client.follows(() => this.#cancelQuietly(runId));
    try {
      for await (const { seq, event } of followEvents(
        this.#client,
        runId,
        { fromSeq, signal },
        opened?.events,
      )) {
        this.#unseen = Math.max(this.#unseen, seq + 1);
        if (isEnd(event)) this.#ended(event);
        if (event.type === "failed") throw event.error;
        if (event.type === "interrupted") throw interrupted(runId);
        yield await this.accept(event);
      }
    } finally {
      forget();
      if (this.#end === undefined && !detached) await this.#cancelQuietly(runId);
    }
  }

  /** Starts the run; where its events are to be read next, by a call that tells them. */
  #start(watched: boolean, follows: boolean): Promise<string> {
    if (this.#started === undefined) {
      this.#started = this.#startOnce(watched, follows);
      this.#started.catch(() => {}); // the callers that await it get the error
    }
    return this.#started;
  }

  async #startOnce(watched: boolean, follows: boolean): Promise<string> {
    const { signal: asked, detached } = this.#begin;
    const beforehand = anyOf(this.#stop.signal, asked);
    if (beforehand.aborted) throw cancelled("The run", beforehand);
    this.#runId = newId("run");
    this.#limit(`The run ${this.#runId}`);
    const given = this.#signal;
    const signal = anyOf(this.#stop.signal, given);
    const asking = { runId: this.#runId, watched, signal };
    const runId = follows ? await this.#open(asking) : await this.#begin.start(asking);
    this.#runId = runId;
    this.#isStarted = true;
    if (given !== undefined && !detached) {
      signal.addEventListener("abort", () => void this.#cancelQuietly(runId), { signal: this.#over.signal });
      if (signal.aborted) void this.#cancelQuietly(runId);
    }
    return runId;
  }

  async #open(asking: AskedRun): Promise<string> {
    if (this.#begin.open === undefined) return this.#begin.start(asking);
    this.#opened = await this.#begin.open(asking);
    return this.#opened.runId;
  }

  /** Begins the time that the run may take. */
  #limit(run: string): void {
    const { signal: given, timeoutMs } = this.#begin;
    if (timeoutMs === undefined) return;
    const { signal, release } = new TimeLimit(timeoutMs).signal(run);
    this.#over.signal.addEventListener("abort", release, { once: true });
    this.#signal = anyOf(signal, given);
  }

  #ended(event: RunEvent): void {
    this.#end = event;
    this.#over.abort();
  }

  /** Asks the worker to end the run, and ignores errors. */
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

function anyOf(one: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other === undefined ? one : AbortSignal.any([one, other]);
}

function interrupted(runId: string | undefined): LadError {
  return new LadError("unavailable", `The run ${runId} was interrupted: its worker ended.`, {
    remedy: "Resume a training run with runtime.run(id).resume(), and follow it again.",
  });
}
