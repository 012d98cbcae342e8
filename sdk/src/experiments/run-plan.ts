/** How long runs take on the machine at hand, and how many steps of each fit a given time. */
import type { Adapter } from "../adapter.js";
import type { Base } from "../base.js";
import { isLadError } from "../errors.js";
import type { AdapterOptions, TrainingOptions } from "../options.js";
import type { TrainingRun } from "../runs/training.js";

/** Runs that are alike, one after another. */
export interface RunPlanOptions {
  /** The adapter that takes longest. */
  readonly adapter: AdapterOptions;
  /** What each run trains with. */
  readonly training: TrainingOptions & {
    /** The most optimizer steps that a run may take. */
    readonly steps: number;
  };
  /** How many runs. */
  readonly runs: number;
  /** For all runs together. Default: as long as `steps` take. */
  readonly seconds?: number | undefined;
  /** What each run takes beside its steps, in seconds: it may try it on the adapter that it is given. Default: nothing. */
  readonly beside?: ((trial: Adapter) => Promise<number>) | undefined;
}

/** What fits. */
export interface RunPlan {
  /** Of each run. Whoever takes as many gets the same numbers again, however fast the machine is then. */
  readonly steps: number;
  /** What all runs are going to take. */
  readonly seconds: number;
}

/** A run takes at least this share of its steps, whatever the time: with fewer it shows nothing. */
const LEAST_SHARE = 0.1;

/**
 * Trains an adapter for about a second, drops it, and tells how many steps of each run fit the time.
 *
 * Where steps are long it measures for five seconds, or one step: what it tells then holds the first steps, which take longer.
 */
export async function planRuns(base: Base, options: RunPlanOptions): Promise<RunPlan> {
  const { adapter, training, runs, seconds = Number.POSITIVE_INFINITY, beside = async () => 0 } = options;
  await using trial = await base.createAdapter(adapter);
  const stepSeconds = await measureStep(trial.train(training));
  const besideSeconds = await beside(trial);
  const fitting = (seconds / runs - besideSeconds) / stepSeconds;
  const least = Math.ceil(LEAST_SHARE * training.steps);
  const steps = Math.min(training.steps, Math.max(least, roundedDown(fitting)));
  return { steps, seconds: runs * (steps * stepSeconds + besideSeconds) };
}

/** The first steps also allocate, compile and read: they tell less than those after them. */
const UNEVEN_STEPS = 3;
const MEASURED_SECONDS = 1;
/** From the beginning of the first step on, by the clock; a step that has begun is waited for. */
const MOST_SECONDS = 5;

/** Seconds a step, over the first second of a run's even steps, or what is there after a while; the run is then ended. */
async function measureStep(run: TrainingRun): Promise<number> {
  const taken: number[] = [];
  let begun = performance.now();
  for await (const event of run) {
    if (event.type !== "step") {
      if (taken.length === 0) begun = performance.now();
      continue;
    }
    taken.push(event.seconds);
    if (sum(taken.slice(UNEVEN_STEPS)) >= MEASURED_SECONDS) break;
    if (performance.now() - begun >= 1000 * MOST_SECONDS) break;
  }
  await run.result().catch(unlessCancelled); // its end, after which the adapter may be used
  const even = taken.length > UNEVEN_STEPS ? taken.slice(UNEVEN_STEPS) : taken;
  return sum(even) / even.length;
}

/** To two digits, which is as much as a measured second tells. */
function roundedDown(count: number): number {
  if (!Number.isFinite(count) || count < 1) return count;
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.floor(count / unit) * unit;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function unlessCancelled(error: unknown): void {
  if (!isLadError(error, "cancelled")) throw error;
}
