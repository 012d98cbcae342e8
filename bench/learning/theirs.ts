/** The training of lad-generic in a process of its own, and what the adapters that it saves have learnt. */
import { join } from "node:path";
import type { Base } from "../../sdk/src/index.js";
import { type AdapterRecipe, questionsOf } from "../decoding/adapters.js";
import type { Bench } from "../harness/bench.js";
import type { Side } from "../harness/side.js";
import type { LearningCurve, Point } from "./curve.js";
import { corruptedCe } from "./validating.js";

const POINTS = 5;
/** Updates that show how fast it is, and how often: those before them pay for fresh memory. */
const WARMUPS = 5;
const TIMED = 10;
const TIMINGS = 5;

/** Its own settings but for the learning rate: those of its long runs, with batches of 8. */
export const THEIR_SETTINGS = {
  batchSize: 8,
  weightDecay: 0.01,
  maxGradientNorm: 0.5,
  schedule: "cosine",
  loss: "all_tokens",
};
const WARMUP_UPDATES = 100;

export interface TheirRun {
  readonly learningRate: number;
  readonly seed: number;
  readonly updates: number;
}

/** Its process. */
export class Theirs {
  readonly #side: Side;
  readonly #base: Base;
  readonly #windowTokens: number;
  readonly #folder: string;

  private constructor(side: Side, base: Base, windowTokens: number, folder: string) {
    this.#side = side;
    this.#base = base;
    this.#windowTokens = windowTokens;
    this.#folder = folder;
  }

  /** With the windows, the rank and the projections that ours are trained with. */
  static async load(bench: Bench, base: Base, { adapter, training }: AdapterRecipe): Promise<Theirs> {
    const { windowTokens } = training;
    const examples: object[] = [];
    for await (const { id, ids, answer } of base.examples(questionsOf("train"), { windowTokens })) {
      examples.push({ id: Number(id), ids, answerStart: answer.indexOf(1) });
    }
    const side = bench.reference("lad_generic_loop");
    await side.load({
      ...bench.shared,
      ...THEIR_SETTINGS,
      against: bench.options.against,
      rank: adapter.rank,
      targets: adapter.targets,
      windowTokens,
      maskToken: base.info.maskToken,
      examples,
    });
    return new Theirs(side, base, windowTokens, join(bench.scratch, "theirs"));
  }

  /** How many updates it takes in so many seconds, by the fastest of a few timings: other work on the machine only slows it down. */
  async updatesIn(seconds: number): Promise<number> {
    await this.#begin({ learningRate: 0, seed: 0, updates: WARMUPS + TIMED * TIMINGS });
    await this.#update(WARMUPS);
    let fastest = Number.POSITIVE_INFINITY;
    for (let timing = 0; timing < TIMINGS; timing++) {
      fastest = Math.min(fastest, (await this.#update(TIMED)).seconds / TIMED);
    }
    return Math.max(POINTS, Math.round(seconds / fastest));
  }

  /** Runs to the end of its schedule. */
  async learn(run: TheirRun): Promise<LearningCurve> {
    await this.#begin(run);
    const points: Point[] = [];
    const spent = { updates: 0, seconds: 0, processorSeconds: 0 };
    for (let point = 1; point <= POINTS; point++) {
      const updates = Math.round((run.updates * point) / POINTS) - spent.updates;
      const { seconds, processorSeconds = Number.NaN } = await this.#update(updates);
      spent.updates += updates;
      spent.seconds += seconds;
      spent.processorSeconds += processorSeconds;
      points.push({ ...spent, ce: await this.#validated() });
    }
    return { name: nameOfRate(run.learningRate), points };
  }

  async #begin(run: TheirRun): Promise<void> {
    const warmupUpdates = warmupOf(run.updates);
    await this.#side.prepare({ ...run, warmupUpdates });
  }

  #update(updates: number) {
    return this.#side.run({ updates, folder: this.#folder });
  }

  /** Of the adapter that it has saved. */
  async #validated(): Promise<Point["ce"]> {
    await using adapter = await this.#base.loadAdapter(this.#folder);
    return await corruptedCe(adapter, { windowTokens: this.#windowTokens, attention: "full" });
  }
}

/** What tells a run from those at other learning rates. */
export function nameOfRate(learningRate: number): string {
  return `learning rate ${learningRate}`;
}

/** Its 100 updates, and no more than a tenth of a short run. */
export function warmupOf(updates: number): number {
  return Math.min(WARMUP_UPDATES, Math.floor(updates / 10));
}
