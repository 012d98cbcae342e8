/** The report of any sweep: every figure that its results have. */
import { type Figure, isMeasured } from "../../report/parts/figure.js";
import { Report } from "../../report/report.js";
import {
  axisName,
  type DoneRow,
  doneRows,
  failures,
  overAxes,
  type PointFigure,
  type PointRow,
  pointColumns,
} from "./points.js";

/** A longer list is no set of figures, but a curve or a sample, which stays out. */
const MOST_ITEMS = 16;

/**
 * A table of all points with the numbers of their results, by their paths, and a curve of each that differs over each axis. What took
 * how long is left out, unless results tell it: a sweep that was resumed has the report of one that was not.
 */
export function sweepReport(
  axes: readonly string[],
  rows: readonly PointRow<unknown>[],
  spec: unknown,
): Report {
  const report = new Report({
    title: `Sweep over ${axes.map(axisName).join(" and ")}`,
    configuration: spec,
  });
  const done = doneRows(rows);
  const figures = figuresOf(done);
  report
    .section("Results")
    .facts({ points: rows.length, done: done.length, failed: rows.length - done.length })
    .table({
      title: "All points",
      columns: [
        ...pointColumns<DoneRow<unknown>>(axes),
        ...figures.map(({ label, of }) => ({
          header: label,
          value: ({ result }: DoneRow<unknown>) => of(result),
        })),
      ],
      rows: done,
    });
  overAxes(report, axes, done, figures);
  failures(report, axes, rows);
  return report;
}

/** Every path at which some result has a number, in the order in which they come. */
function figuresOf(rows: readonly DoneRow<unknown>[]): PointFigure<unknown>[] {
  const paths = new Set(rows.flatMap(({ result }) => [...leaves(result, "")].map(([path]) => path)));
  return [...paths].map((path) => ({
    label: path === "" ? "result" : path,
    of: (result) => new Map(leaves(result, "")).get(path),
  }));
}

/** The numbers within a value, and its figures with their certainty, by path. */
function* leaves(value: unknown, path: string): Generator<[path: string, figure: Figure]> {
  if (typeof value === "number" || isMeasured(value)) {
    yield [path, value];
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value) && value.length > MOST_ITEMS) return;
  for (const [key, inner] of Object.entries(value)) {
    yield* leaves(inner, Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`);
  }
}
