import { check } from "../checks/check.js";
import { storedName } from "../checks/fields.js";
import type { Experiment } from "../options/experiment.js";
import type { AxisValue } from "./sweep.js";

/**
 * A point's experiment, whose best checkpoint has a name of its own: `best` becomes `best-rank-16`.
 *
 * @throws LadError `invalid-option` where that is too long for a name
 */
export function bestApart(experiment: Experiment, point: Readonly<Record<string, AxisValue>>): Experiment {
  const { training } = experiment;
  const { validation } = training;
  if (validation?.keepBest === undefined) return experiment;
  const kept = validation.keepBest;
  const { name, ...how } = typeof kept === "string" ? { name: kept } : kept;
  const words = Object.entries(point).flatMap(([path, value]) => [path.split(".").at(-1), String(value)]);
  const own = [name, ...words].join("-").replaceAll(/[^A-Za-z0-9._-]/g, "_");
  const keepBest = { ...how, name: check(storedName(), own, "training.validation.keepBest") };
  return { ...experiment, training: { ...training, validation: { ...validation, keepBest } } };
}
