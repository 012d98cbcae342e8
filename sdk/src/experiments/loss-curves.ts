/** The losses of a run, in as many points as a chart can show. */
import type { LossReport, TrainingEvent } from "../wire.js";
import type { ExperimentResult, StepLosses } from "./experiment-result.js";

/** More steps are averaged, so that a manifest and a report stay small. */
const MOST_POINTS = 200;

/** Collects the losses of a run's events. */
export class LossCurves {
  readonly #steps: StepLosses[] = [];
  readonly #validations: StepLosses[] = [];

  add(event: TrainingEvent): void {
    if (event.type === "step") this.#steps.push(pointOf(event.step, event.report));
    if (event.type === "validation") this.#validations.push(pointOf(event.step, event.report));
  }

  result(): Pick<ExperimentResult, "losses" | "validations"> {
    return { losses: thinned(this.#steps), validations: this.#validations };
  }
}

function pointOf(step: number, { loss, ce, corruptedCe }: LossReport): StepLosses {
  return { step, loss, ce, corruptedCe };
}

/** Means over stretches of equal length; each stands at its last step. */
function thinned(points: readonly StepLosses[]): StepLosses[] {
  const length = Math.ceil(points.length / MOST_POINTS);
  if (length <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / length) }, (_, i) => {
    const stretch = points.slice(i * length, (i + 1) * length);
    const { step } = stretch.at(-1) as StepLosses; // no stretch is empty
    const meanOf = (field: "loss" | "ce" | "corruptedCe") => mean(stretch.map((point) => point[field]));
    return { step, loss: meanOf("loss"), ce: meanOf("ce"), corruptedCe: meanOf("corruptedCe") };
  });
}

/** Of those that are numbers: a batch without a corrupted token has no CE of such tokens. */
function mean(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
