import type { Client, Opened } from "../client.js";
import { LadError } from "../errors.js";
import { type CheckedSampling, checkLength } from "../options.js";
import {
  type Answer,
  type AnswerSize,
  type BaseInfo,
  eventOf,
  type Frame,
  type pb,
  present,
  type RunEvent,
  RunsService,
  type SamplingEvent,
  SamplingService,
  type SettledSampling,
  startedOf,
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

/** What is known of a run of sampling once it has begun. */
export interface SamplingBegun {
  /** With which `runtime.run(id)` follows the run from anywhere. */
  readonly runId: string;
  /** How many tokens each prompt has. */
  readonly promptTokens: readonly number[];
}

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
  #promptTokens: readonly number[] = [];

  /** @internal */
  constructor(client: Client, model: SampledModel, sampling: CheckedSampling, fit: Fit) {
    const requested = async (asked: AskedRun) => {
      const { spec, windowTokens } = await model.asTrained.settled(sampling.spec, asked.signal);
      const settled = { ...sampling, spec };
      const planned = await runCanvases(client, model.base, settled, windowTokens, asked.signal);
      const { canvases, ...size } = planned;
      for (const { answerTokens, windowTokens } of sizesOf(planned)) {
        if (windowTokens === 0) checkLength(spec, answerTokens, model.target.adapterId !== "");
      }
      this.#asked = canvases;
      return startRequest(model.target, sampling, planned, { ...spec, ...size }, asked);
    };
    super(client, {
      start: async (asked) => this.#started(await startSampling(client, await requested(asked), asked)),
      open: async (asked) => {
        const { first, rest } = await openSampling(client, await requested(asked), asked);
        return {
          runId: this.#started(startedOf(first)),
          events: eventsOf(rest),
          leave: () => void rest.return(),
        };
      },
      detached: sampling.spec.detached,
      signal: sampling.spec.signal,
      timeoutMs: sampling.timeoutMs,
    });
    this.#sampling = sampling;
    this.#fit = fit;
    this.#answers = sampling.canvases.map(() => []);
  }

  /**
   * Starts the run and begins to follow it, in one call of the worker; the next iteration, or `result()`, reads its events from the first
   * on. For a caller who wants to know whether the run has begun before there is anything of it.
   *
   * @throws LadError whatever is wrong with the run's prompts and settings
   */
  async begin(): Promise<SamplingBegun> {
    const runId = await this.follow();
    return { runId, promptTokens: this.#promptTokens };
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

  #started({ runId, promptTokens }: pb.sampling.StartSamplingResponse): string {
    this.#promptTokens = promptTokens.slice(0, this.#sampling.canvases.length);
    return runId;
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

function startRequest(
  target: SamplingTarget,
  { canvases }: CheckedSampling,
  planned: RunCanvases,
  spec: SettledSampling & AnswerSize,
  { watched, runId }: AskedRun,
): pb.sampling.StartSamplingRequest {
  return {
    ...target,
    runId,
    canvases: planned.canvases.map(({ asked, ...answer }) =>
      toCanvas(present(canvases[asked], "Canvas"), answer),
    ),
    spec: toSampling({ ...spec, frames: spec.frames && watched }),
  };
}

function startSampling(
  client: Client,
  request: pb.sampling.StartSamplingRequest,
  { runId, signal }: AskedRun,
): Promise<pb.sampling.StartSamplingResponse> {
  const send = () => client.call(SamplingService.startSampling, request, { signal });
  return startingRun(client, runId, send, signal);
}

/** Starts a run by the call that tells its events. */
function openSampling(
  client: Client,
  start: pb.sampling.StartSamplingRequest,
  { runId, signal }: AskedRun,
): Promise<Opened<pb.runs.SampleResponse>> {
  return startingRun(client, runId, () => client.open(RunsService.sample, { start }, { signal }), signal);
}

async function* eventsOf(replies: AsyncGenerator<pb.runs.SampleResponse, void, undefined>) {
  for await (const reply of replies) yield eventOf(reply);
}
