import type { Client } from "../client.js";
import { LadError } from "../errors.js";
import type { CheckedSampling } from "../options.js";
import {
  type Answer,
  type Frame,
  present,
  type RunEvent,
  type SamplingEvent,
  SamplingService,
  toCanvas,
  toSampling,
} from "../wire.js";
import type { AsTrained } from "./as-trained.js";
import { startingRun } from "./creating.js";
import { type AskedRun, RunStream } from "./run-stream.js";

/** The model to sample from: a base, or an adapter or snapshot on it. */
export interface SamplingTarget {
  readonly baseId: string;
  /** The adapter's or snapshot's id; empty: the base alone. */
  readonly adapterId: string;
}

/** A run over many canvases: iterate over it for frames and answers, await `result()` for the answers in order. */
export class SamplingRun extends RunStream<SamplingEvent, readonly Answer[]> {
  readonly #answers: (Answer | undefined)[];

  /** @internal */
  constructor(client: Client, target: SamplingTarget, asTrained: AsTrained, sampling: CheckedSampling) {
    super(client, {
      start: (asked) => startSampling(client, target, asTrained, sampling, asked),
      detached: sampling.spec.detached,
      signal: sampling.spec.signal,
    });
    this.#answers = sampling.canvases.map(() => undefined);
  }

  protected accept(event: RunEvent): SamplingEvent {
    switch (event.type) {
      case "answer":
        this.#answers[event.canvas] = event;
        return event;
      case "frame":
      case "sampled":
      case "cancelled":
        return event;
      default:
        throw new LadError("internal", `The worker sent the event ${event.type} of a sampling run.`);
    }
  }

  protected conclude(): readonly Answer[] {
    return this.#answers.map((answer, canvas) => present(answer, `Answer of canvas ${canvas}`));
  }
}

/** A run over one canvas: iterate over it for its frames, await `result()` for the answer. */
export class SampleRun implements AsyncIterable<Frame> {
  readonly #run: SamplingRun;

  /** @internal */
  constructor(run: SamplingRun) {
    this.#run = run;
  }

  /** The run's id, with which `runtime.run(id)` follows it from anywhere; undefined until the run has started. */
  get runId(): string | undefined {
    return this.#run.runId;
  }

  /** Starts the run without following it, and returns its id. */
  start(): Promise<string> {
    return this.#run.start();
  }

  /** Yields one frame for each iteration. Leaving the loop cancels the run, unless it is detached. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Frame, void, undefined> {
    for await (const event of this.#run) {
      if (event.type === "frame") yield event;
    }
  }

  /**
   * The answer. If nothing iterates over the run, it streams no frames.
   *
   * @throws LadError `cancelled` for a cancelled run, else the run's own error
   */
  async result(): Promise<Answer> {
    const [answer] = await this.#run.result();
    return present(answer, "Answer");
  }

  /** Ends the run within one iteration; resolves when it has ended. */
  cancel(): Promise<void> {
    return this.#run.cancel();
  }
}

async function startSampling(
  client: Client,
  target: SamplingTarget,
  asTrained: AsTrained,
  { canvases, spec }: CheckedSampling,
  { watched, runId, signal }: AskedRun,
): Promise<string> {
  const settled = await asTrained.settled(spec, signal);
  const request = {
    ...target,
    runId,
    canvases: canvases.map(toCanvas),
    spec: toSampling({ ...settled, frames: settled.frames && watched }),
  };
  const send = () => client.call(SamplingService.startSampling, request, { signal });
  return (await startingRun(client, runId, send, signal)).runId;
}
