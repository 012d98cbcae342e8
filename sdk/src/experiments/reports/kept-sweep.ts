/** The report of a sweep or an experiment, of what its manifest keeps. */
import type { Experiment } from "../../options/experiment.js";
import type { Report } from "../../report/report.js";
import { BUILD_VERSION } from "../../version.js";
import type { ExperimentResult } from "../experiment-result.js";
import { type KeptSweep, readManifest } from "../sweep-manifest.js";
import { experimentReport } from "./experiment-report.js";
import { checkKeptExperiment } from "./kept-experiment.js";
import { doneRows, type PointRow, type PointValues } from "./points.js";
import { sweepReport } from "./sweep-report.js";

/**
 * Points are in the order of their values, and axes in that of their names: a manifest does not keep that of the grid. What an
 * experiment was called, and the worker's versions, are not in it either.
 *
 * @throws LadError as `readManifest`; `invalid-file` for an experiment's manifest with parts that are not an experiment's
 */
export async function keptSweepReport(path: string): Promise<Report> {
  const kept = await readManifest(path);
  const { axes, spec } = kept;
  const rows = rowsOf(kept);
  if (!isOfAnExperiment(kept)) return sweepReport(axes, rows, spec);
  const results = doneRows(rows).map(({ result }) => result);
  checkKeptExperiment(path, spec, results);
  const values = axes.map((axis) => [axis, [...new Set(rows.map(({ point }) => point[axis]))]] as const);
  return experimentReport({
    experiment: spec as Experiment,
    axes: Object.fromEntries(values),
    rows: rows as readonly PointRow<ExperimentResult>[],
    spec,
    versions: { "lad, of this report": BUILD_VERSION },
  });
}

function rowsOf({ axes, points }: KeptSweep): PointRow<unknown>[] {
  const rows = points.map(({ point, outcome }) => ({ ...outcome, point: point as PointValues }));
  const ranks = axes.map((axis) => [...new Set(rows.map(({ point }) => point[axis]))]);
  const place = (axis: number, { point }: PointRow<unknown>): number => {
    const value = point[axes[axis] as string];
    return typeof value === "number" ? value : (ranks[axis] ?? []).indexOf(value);
  };
  return rows.sort((a, b) => {
    const differing = axes.findIndex((_, axis) => place(axis, a) !== place(axis, b));
    return differing < 0 ? 0 : place(differing, a) - place(differing, b);
  });
}

/** An experiment's spec has its options, and each result what `runExperiment` gives. */
function isOfAnExperiment({ spec, points }: KeptSweep): boolean {
  const isOne = (value: unknown, keys: readonly string[]) =>
    typeof value === "object" && value !== null && keys.every((key) => key in value);
  return (
    isOne(spec, ["base", "adapter", "training"]) &&
    points.every(
      ({ outcome }) =>
        outcome.status === "failed" ||
        isOne(outcome.result, ["adapter", "training", "evaluations", "losses", "validations"]),
    )
  );
}
