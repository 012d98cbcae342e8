/** Measures how long runs take on this machine, and plans how many steps of each fit a given time. */
import type { Adapter } from "../adapter.js";
import type { Base } from "../base.js";
import { isLadError } from "../errors.js";
import type { AdapterOptions, TrainingOptions } from "../options.js";
import type { TrainingRun } from "../runs/training.js";

/** Equal runs, one after another. */
export interface RunPlanOptions {
  /** The adapter that takes the longest to train. */
  readonly adapter: AdapterOptions;
  /** Options of each run's training. */
  readonly training: TrainingOptions & {
    /** The most optimizer steps that a run may take. */
    readonly steps: number;
  };
  /** The number of runs. */
  readonly runs: number;
  /** The time for all runs together, in seconds. Default: as long as `steps` take. */
  readonly seconds?: number | undefined;
  /** Measures what each run takes in addition to its steps, in seconds; it may use the given adapter. Default: nothing. */
  readonly beside?: ((trial: Adapter) => Promise<number>) | undefined;
}

/** The plan of equal runs. */
export interface RunPlan {
  /** The optimizer steps of each run. A run with this number of steps gives the same results on a machine of any speed. */
  readonly steps: number;
  /** The estimated seconds of all runs together. */
  readonly seconds: number;
}

/** The smallest share of its steps that a run takes, even if they do not fit the time: fewer steps show nothing. */
const LEAST_SHARE = 0.1;

/**
 * Trains an adapter for about a second, drops it, and estimates how many steps of each run fit the time.
 *
 * If steps are long, it measures for five seconds, or one step. The estimate then includes the first steps, which take longer.
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

/** The number of first steps that are not measured, since they also allocate, compile and read. */
const UNEVEN_STEPS = 3;
const MEASURED_SECONDS = 1;
/** The longest measurement, from the beginning of the first step; a step that has begun is finished. */
const MOST_SECONDS = 5;

/** Measures the seconds per step over one second of even steps, or what there is at the limit, and then ends the run. */
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

/** Rounds down to two digits, which is the accuracy of a measurement of one second. */
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
