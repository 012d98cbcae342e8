/** Trains a variant, from its last checkpoint where there is one, and keeps its adapter. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { canonical } from "../../json.js";
import type { TrainingEvent } from "../../results.js";
import type { Training } from "../measured.js";
import type { TrainPiece } from "../pieces.js";
import { loadingOf, noiseOf, recipeOf, type Variant } from "../setting.js";
import type { Lab } from "./lab.js";
import { Progress } from "./progress.js";

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
  const checkpoint = checkpointName(lab, variant);
  const run = adapter.train({
    ...recipe.training,
    noise: noiseOf(setting, variant),
    data: lab.data.train,
    steps: setting.steps,
    seed: setting.seed,
    checkpoint: { name: checkpoint, everySteps: CHECKPOINT_STEPS, resume: true },
    signal,
  });
  const sofar = new Progress(setting.steps, `${lab.folderOf(variant)}.progress.json`);
  for await (const event of run) {
    onEvent?.(event);
    if (event.type === "started" && event.fromStep > 0) sofar.restore(event.fromStep);
    if (event.type === "step") sofar.add(event);
    if (event.type === "checkpoint") sofar.keep();
  }
  await run.result();
  await rm(lab.folderOf(variant), { recursive: true, force: true });
  await adapter.save(lab.folderOf(variant));
  await lab.forgetCheckpoint(checkpoint); // the saved adapter takes its place
  sofar.forget();
  const { parameterCount } = await adapter.refresh();
  return { trainableParameters: parameterCount, steps: setting.steps, ...sofar.figures() };
}

/** In the worker's store, where other reproductions, and this one with other settings, have names of their own. */
function checkpointName({ setting }: Lab, variant: Variant): string {
  const { folder, steps, seed, data } = setting;
  const noise = noiseOf(setting, variant);
  const all = [
    resolve(folder),
    variant,
    noise,
    steps,
    seed,
    recipeOf(setting, variant.base),
    loadingOf(setting),
    data,
  ];
  return `reproduce-${createHash("sha256").update(canonical(all)).digest("hex").slice(0, 16)}`;
}
