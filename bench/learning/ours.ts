/** Our own training: a run through the SDK, and what its snapshots have learnt. */
import type { Adapter, Base, Snapshot } from "../../sdk/src/index.js";
import { type AdapterRecipe, questionsOf } from "../decoding/adapters.js";
import { processorSeconds } from "../sides/processor.js";
import { secondsSince } from "../sides/serve.js";
import type { LearningCurve, Point } from "./curve.js";
import { corruptedCe, type Validating } from "./validating.js";

const POINTS = 10;

export interface OurRun extends Validating {
  readonly recipe: AdapterRecipe;
  readonly steps: number;
  readonly seed: number;
  /** The worker's process. */
  readonly workerPid: number | undefined;
}

/** The data is on the worker before the clock runs, and the snapshots are validated when it has stopped. */
export async function learn(base: Base, run: OurRun): Promise<LearningCurve> {
  const { recipe, steps, seed } = run;
  await base.prepare(questionsOf("train"), { windowTokens: run.windowTokens });
  await using adapter = await base.createAdapter({ ...recipe.adapter, seed });
  const points: Point[] = [];
  for (const { snapshot, ...moment } of await trained(adapter, run)) {
    points.push({ ...moment, ce: await corruptedCe(snapshot, run) });
    await snapshot.drop();
  }
  return { name: `${steps} steps`, points };
}

type Moment = Omit<Point, "ce"> & { readonly snapshot: Snapshot };

async function trained(adapter: Adapter, { recipe, steps, seed, workerPid }: OurRun): Promise<Moment[]> {
  const every = Math.max(1, Math.floor(steps / POINTS));
  const run = adapter.train({ ...recipe.training, data: questionsOf("train"), steps, seed });
  const busy = processorSeconds(workerPid);
  const started = performance.now();
  const moments: Moment[] = [];
  for await (const event of run) {
    if (event.type !== "step" || (event.step % every !== 0 && event.step !== steps)) continue;
    const snapshot = await adapter.snapshot();
    const now = processorSeconds(workerPid);
    moments.push({
      updates: event.step,
      seconds: secondsSince(started),
      processorSeconds: now === undefined || busy === undefined ? null : now - busy,
      snapshot,
    });
  }
  return moments;
}
