/** Trains a variant, from its last checkpoint where there is one, and keeps its adapter. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import type { TrainingEvent } from "../../results.js";
import type { Training } from "../measured.js";
import type { TrainPiece } from "../pieces.js";
import { noiseOf, recipeOf } from "../setting.js";
import type { Lab } from "./lab.js";

/** Points of a loss curve. */
const CURVE_POINTS = 100;
/** Steps between two checkpoints: what an interruption loses at most. */
const CHECKPOINT_STEPS = 500;

/** What a piece is computed with beside its lab. */
export interface Computing {
  readonly signal: AbortSignal;
  /** Called with every event of a training. */
  readonly onEvent?: ((event: TrainingEvent) => void) | undefined;
}

export async function train(
  lab: Lab,
  { variant }: TrainPiece,
  { signal, onEvent }: Computing,
): Promise<Training> {
  const { setting } = lab;
  const base = await lab.base(variant.base);
  const recipe = recipeOf(setting, variant.base);
  const { rank } = variant;
  const adapter = await base.createAdapter({ ...recipe.adapter, rank, seed: setting.seed, signal });
  await lab.keep(variant, adapter);
  const checkpoint = checkpointName(lab, variant.name);
  const run = adapter.train({
    ...recipe.training,
    noise: noiseOf(setting, variant),
    data: lab.data.train,
    steps: setting.steps,
    seed: setting.seed,
    checkpoint: { name: checkpoint, everySteps: CHECKPOINT_STEPS, resume: true },
    signal,
  });
  const curve = new Curve(setting.steps);
  for await (const event of run) {
    onEvent?.(event);
    if (event.type === "step") curve.add(event.step, event.report);
  }
  const { seconds, tokensPerSecond } = await run.result();
  await rm(lab.folderOf(variant), { recursive: true, force: true });
  await adapter.save(lab.folderOf(variant));
  await lab.forgetCheckpoint(checkpoint); // the saved adapter takes its place
  const { parameterCount } = await adapter.refresh();
  return {
    trainableParameters: parameterCount,
    steps: setting.steps,
    seconds,
    tokensPerSecond,
    curve: curve.points,
  };
}

/** In the worker's store, where other reproductions have names of their own. */
function checkpointName(lab: Lab, variant: string): string {
  const { folder, steps, seed } = lab.setting;
  const digest = createHash("sha256")
    .update(JSON.stringify([folder, variant, steps, seed]))
    .digest("hex");
  return `reproduce-${digest.slice(0, 16)}`;
}

/** The mean CE per corrupted token over each hundredth of the steps. */
class Curve {
  readonly points: { step: number; ce: number }[] = [];
  readonly #every: number;
  #nats = 0;
  #tokens = 0;

  constructor(steps: number) {
    this.#every = Math.max(1, Math.floor(steps / CURVE_POINTS));
  }

  add(
    step: number,
    { corruptedCe, corruptedTokens }: { corruptedCe: number; corruptedTokens: number },
  ): void {
    if (corruptedTokens > 0) this.#nats += corruptedCe * corruptedTokens;
    this.#tokens += corruptedTokens;
    if (step % this.#every !== 0 || this.#tokens === 0) return;
    this.points.push({ step, ce: this.#nats / this.#tokens });
    this.#nats = this.#tokens = 0;
  }
}
