/** What the reports of all sweeps have in common: their points, and figures over their axes. */
import { lineChart } from "../../report/parts/chart.js";
import { type Figure, type FigureForm, numberOf } from "../../report/parts/figure.js";
import type { ReportSection } from "../../report/parts/section.js";
import type { ReportColumn } from "../../report/parts/table.js";
import type { Report } from "../../report/report.js";
import type { Outcome } from "../sweep-manifest.js";

/** The values of the axes at a point. */
export type PointValues = Readonly<Record<string, string | number | boolean>>;

/** How a point ended. */
export type PointRow<Result> = Outcome<Result> & { readonly point: PointValues };

/** A point that is done, with its result. */
export interface DoneRow<Result> {
  readonly point: PointValues;
  readonly result: Result;
}

/** A figure that is shown over the axes. */
export interface PointFigure<Result> {
  readonly label: string;
  readonly unit?: string | undefined;
  readonly form?: FigureForm | undefined;
  /** Undefined where a result lacks it. */
  of(result: Result): Figure | undefined;
}

export function doneRows<Result>(rows: readonly PointRow<Result>[]): DoneRow<Result>[] {
  return rows.flatMap((row) => (row.status === "done" ? [{ point: row.point, result: row.result }] : []));
}

/** `rank 16, noise cover`: the options by their own names. */
export function pointName(point: PointValues): string {
  const words = Object.entries(point).map(([path, value]) => `${axisName(path)} ${String(value)}`);
  return words.join(", ") || "all";
}

/** `adapter.rank` is the axis `rank`. */
export function axisName(path: string): string {
  return path.split(".").at(-1) ?? path;
}

/** The columns that tell a point from the others. */
export function pointColumns<Row extends { readonly point: PointValues }>(
  axes: readonly string[],
): ReportColumn<Row>[] {
  return axes.map((axis) => ({ header: axisName(axis), value: ({ point }) => point[axis] }));
}

/** A section for each axis of several values, with a chart of each figure that differs between the points. */
export function overAxes<Result>(
  report: Report,
  axes: readonly string[],
  rows: readonly DoneRow<Result>[],
  figures: readonly PointFigure<Result>[],
): void {
  const differing = figures.filter((figure) => differs(rows, figure));
  for (const axis of axes) {
    if (new Set(rows.map(({ point }) => point[axis])).size < 2 || differing.length === 0) continue;
    const section = report.section(`Over ${axisName(axis)}`);
    for (const figure of differing) plotOver(section, axis, rows, figure);
  }
}

/** The points that failed, with their errors; nothing where none did. */
export function failures(report: Report, axes: readonly string[], rows: readonly PointRow<unknown>[]): void {
  const failed = rows.flatMap((row) => (row.status === "failed" ? [row] : []));
  if (failed.length === 0) return;
  report.section("Points that failed").table({
    title: "Errors",
    columns: [
      ...pointColumns<(typeof failed)[number]>(axes),
      { header: "code", value: ({ error }) => error.code },
      { header: "error", value: ({ error }) => error.message },
    ],
    rows: failed,
  });
}

function differs<Result>(rows: readonly DoneRow<Result>[], { of }: PointFigure<Result>): boolean {
  const values = rows.flatMap(({ result }) => {
    const figure = of(result);
    return figure === undefined || !Number.isFinite(numberOf(figure)) ? [] : [numberOf(figure)];
  });
  return new Set(values).size > 1;
}

/** One line for each combination of the other axes' values. */
function plotOver<Result>(
  section: ReportSection,
  axis: string,
  rows: readonly DoneRow<Result>[],
  { label, unit, form, of }: PointFigure<Result>,
): void {
  const scale = scaleOf(rows.map(({ point }) => point[axis]));
  const names = [...new Set(rows.map(({ point }) => othersName(point, axis)))];
  const series = names.map((name) => ({
    name,
    points: rows.flatMap(({ point, result }) => {
      const y = of(result);
      if (y === undefined || othersName(point, axis) !== name) return [];
      return [{ x: scale === "category" ? String(point[axis]) : Number(point[axis]), y }];
    }),
  }));
  const x = { label: axisName(axis), scale };
  section.plot(lineChart({ title: `${label} over ${axisName(axis)}`, x, y: { label, unit, form }, series }));
}

function othersName(point: PointValues, axis: string): string {
  const { [axis]: _, ...others } = point;
  return pointName(others);
}

/** Names are categories; numbers that span more than a factor of eight are on a logarithmic axis. */
function scaleOf(values: readonly unknown[]): "linear" | "log" | "category" {
  const numbers = values.filter((value) => typeof value === "number");
  if (numbers.length < values.length) return "category";
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return low > 0 && high / low > 8 ? "log" : "linear";
}
