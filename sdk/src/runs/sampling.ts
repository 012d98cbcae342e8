import type { Client } from "../client.js";
import { LadError } from "../errors.js";
import { type CheckedSampling, checkLength } from "../options.js";
import {
  type Answer,
  type AnswerSize,
  type BaseInfo,
  type Frame,
  present,
  type RunEvent,
  type SamplingEvent,
  SamplingService,
  type SettledSampling,
  toCanvas,
  toSampling,
} from "../wire.js";
import type { AsTrained } from "./as-trained.js";
import { type RunCanvases, runCanvases } from "./canvases.js";
import { startingRun } from "./creating.js";
import { type AskedRun, RunStream } from "./run-stream.js";

/** The model to sample from: a base, or an adapter or snapshot on it. */
export interface SamplingTarget {
  readonly baseId: string;
  /** The adapter's or snapshot's id; empty: the base alone. */
  readonly adapterId: string;
}

/** A model to sample from, with what is known of it. */
export interface SampledModel {
  readonly target: SamplingTarget;
  readonly base: BaseInfo;
  readonly asTrained: AsTrained;
}

/** Says how well each of several answers to one prompt fits: the greater, the better. */
export type Fit = (
  prompt: CheckedSampling["canvases"][number],
  answers: readonly Answer[],
) => Promise<readonly number[]>;

/**
 * A run over many canvases: iterate over it for frames and answers, await `result()` for the answers in order.
 *
 * Where a gap has several lengths, each is answered, and its frames and its answer tell its `gaps`; the result has the best of them.
 */
export class SamplingRun extends RunStream<SamplingEvent, readonly Answer[]> {
  readonly #sampling: CheckedSampling;
  readonly #fit: Fit;
  readonly #answers: (readonly Answer[])[];
  #asked: RunCanvases["canvases"] = [];

  /** @internal */
  constructor(client: Client, model: SampledModel, sampling: CheckedSampling, fit: Fit) {
    super(client, {
      start: async (asked) => {
        const { spec, windowTokens } = await model.asTrained.settled(sampling.spec, asked.signal);
        const settled = { ...sampling, spec };
        const planned = await runCanvases(client, model.base, settled, windowTokens, asked.signal);
        const { canvases, ...size } = planned;
        for (const { answerTokens, windowTokens } of sizesOf(planned)) {
          if (windowTokens === 0) checkLength(spec, answerTokens, model.target.adapterId !== "");
        }
        this.#asked = canvases;
        return startSampling(client, model.target, sampling, planned, { ...spec, ...size }, asked);
      },
      detached: sampling.spec.detached,
      signal: sampling.spec.signal,
      timeoutMs: sampling.timeoutMs,
    });
    this.#sampling = sampling;
    this.#fit = fit;
    this.#answers = sampling.canvases.map(() => []);
  }

  protected accept(event: RunEvent): SamplingEvent {
    switch (event.type) {
      case "answer": {
        const answer = this.#told(event);
        this.#answers[answer.canvas] = [...(this.#answers[answer.canvas] ?? []), answer];
        return answer;
      }
      case "frame":
        return this.#told(event);
      case "sampled":
      case "cancelled":
        return event;
      default:
        throw new LadError("internal", `The worker sent the event ${event.type} of a sampling run.`);
    }
  }

  protected conclude(): Promise<readonly Answer[]> {
    return Promise.all(this.#answers.map((answers, canvas) => this.#best(answers, canvas)));
  }

  /** The event with the numbers that the request gave. */
  #told<Event extends Answer | Frame>(event: Event): Event {
    const { asked, gaps } = present(this.#asked[event.canvas], `Canvas ${event.canvas}`);
    return { ...event, canvas: asked, ...(gaps && { gaps }) };
  }

  /** The answer that fits best; of equal ones, that with the shorter gaps. */
  async #best(answers: readonly Answer[], canvas: number): Promise<Answer> {
    const sorted = [...answers].sort((a, b) => byGaps(a.gaps ?? [], b.gaps ?? []));
    const [first] = sorted;
    if (sorted.length < 2) return present(first, `Answer of canvas ${canvas}`);
    const fits = await this.#fit(present(this.#sampling.canvases[canvas], "Canvas"), sorted);
    return present(sorted[fits.indexOf(Math.max(...fits))] ?? first, "Answer");
  }
}

function byGaps(a: readonly number[], b: readonly number[]): number {
  const different = a.findIndex((tokens, i) => tokens !== b[i]);
  return different < 0 ? 0 : (a[different] ?? 0) - (b[different] ?? 0);
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

/** The sizes that some answer of the run has. */
function sizesOf({ canvases, ...size }: RunCanvases): AnswerSize[] {
  return canvases.map((canvas) => canvas.size ?? size);
}

async function startSampling(
  client: Client,
  target: SamplingTarget,
  { canvases }: CheckedSampling,
  planned: RunCanvases,
  spec: SettledSampling & AnswerSize,
  { watched, runId, signal }: AskedRun,
): Promise<string> {
  const request = {
    ...target,
    runId,
    canvases: planned.canvases.map(({ asked, ...answer }) =>
      toCanvas(present(canvases[asked], "Canvas"), answer),
    ),
    spec: toSampling({ ...spec, frames: spec.frames && watched }),
  };
  const send = () => client.call(SamplingService.startSampling, request, { signal });
  return (await startingRun(client, runId, send, signal)).runId;
}
