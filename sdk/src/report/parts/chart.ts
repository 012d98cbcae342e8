/** Charts as values. They are drawn when the report is written. */
import { invalidOption } from "../../errors.js";
import { type Figure, type FigureForm, numberOf } from "./figure.js";
import { headingText, type TablePart } from "./table.js";

/** One axis of a chart. */
export interface ChartAxis {
  /** What it counts, such as `iterations`. */
  readonly label: string;
  /** Its unit, such as `nats`. Default: none. */
  readonly unit?: string | undefined;
  /** How its numbers are written. Default: as they are. */
  readonly form?: FigureForm | undefined;
  /** `log` for numbers above 0. Default: `linear`. */
  readonly scale?: "linear" | "log" | undefined;
}

/** The horizontal axis of lines. */
export interface LinesAxis extends Omit<ChartAxis, "scale"> {
  /** `log` for numbers above 0; `category` for names, whose figures no line joins. Default: `linear`. */
  readonly scale?: "linear" | "log" | "category" | undefined;
}

/** One point of a line. */
export interface ChartPoint {
  /** Where it lies on the horizontal axis: a number, or a category's name. */
  readonly x: number | string;
  /** Its figure; an interval is drawn as a band, or as a bar where there is no line. */
  readonly y: Figure;
}

/** One line. */
export interface ChartSeries {
  /** What it is, such as `rank 16`. */
  readonly name: string;
  /** In any order. */
  readonly points: readonly ChartPoint[];
}

/** Lines over a common axis, with bands where figures have intervals. */
export interface LineChart {
  /** What it shows. */
  readonly title: string;
  /** What the reader should see in it. Default: nothing. */
  readonly about?: string | undefined;
  /** The horizontal axis. */
  readonly x: LinesAxis;
  /** The vertical axis. */
  readonly y: ChartAxis;
  /** The lines. */
  readonly series: readonly ChartSeries[];
}

/** One point of a frontier. */
export interface FrontierPoint {
  /** What stands beside it, such as `remask 16`. */
  readonly label: string;
  /** Points of one series have one colour and are joined in order of x. Default: none, it stands alone. */
  readonly series?: string | undefined;
  /** The cost, of which less is better. */
  readonly x: number;
  /** The gain, of which more is better. */
  readonly y: Figure;
}

/** What is gained at which cost: labelled points, and a line along those that no other point betters in both. */
export interface FrontierChart {
  /** What it shows. */
  readonly title: string;
  /** What the reader should see in it. Default: nothing. */
  readonly about?: string | undefined;
  /** The cost, of which less is better. */
  readonly x: ChartAxis;
  /** The gain, of which more is better. */
  readonly y: ChartAxis;
  /** In any order. */
  readonly points: readonly FrontierPoint[];
}

/** A line chart, to be given to `ReportSection.plot`. */
export interface LinesPart extends LineChart {
  /** Tells it from other charts. */
  readonly kind: "lines";
}

/** A frontier, to be given to `ReportSection.plot`. */
export interface FrontierPart extends FrontierChart {
  /** Tells it from other charts. */
  readonly kind: "frontier";
}

/** A chart of any kind. */
export type Chart = LinesPart | FrontierPart;

/**
 * Lines over a common axis, such as losses over steps.
 *
 * @throws LadError `invalid-option` for a number of at most 0 on a logarithmic axis, and a name on an axis of numbers
 */
export function lineChart(chart: LineChart): LinesPart {
  for (const { points } of chart.series) {
    for (const { x, y } of points) {
      if (chart.x.scale !== "category" && typeof x !== "number") throw noNumber(x);
      if (typeof x === "number") checkScale("x", chart.x, x);
      checkScale("y", chart.y, numberOf(y));
    }
  }
  return { kind: "lines", ...chart };
}

/**
 * What is gained at which cost, such as exact match against forwards.
 *
 * @throws LadError `invalid-option` for a number of at most 0 on a logarithmic axis
 */
export function frontierChart(chart: FrontierChart): FrontierPart {
  for (const { x, y } of chart.points) {
    checkScale("x", chart.x, x);
    checkScale("y", chart.y, numberOf(y));
  }
  return { kind: "frontier", ...chart };
}

/** A chart's figures as a table, a row a point. */
export function chartTable(chart: Chart): TablePart {
  const { title, x, y } = chart;
  const axes = [headingOf(x), headingOf(y)];
  if (chart.kind === "frontier") {
    const columns = [{ header: "point" }, ...axes];
    const rows = chart.points.map((point, i) => [`${i + 1} ${point.label}`, point.x, point.y] as const);
    return { kind: "table", title, about: undefined, columns, rows };
  }
  const columns = [{ header: "series" }, ...axes];
  const rows = chart.series.flatMap(({ name, points }) => points.map((point) => [name, point.x, point.y]));
  return { kind: "table", title, about: undefined, columns, rows };
}

/** How many points it has. */
export function pointsOf(chart: Chart): number {
  if (chart.kind === "frontier") return chart.points.length;
  return chart.series.reduce((sum, { points }) => sum + points.length, 0);
}

/** `perplexity (nats)`. */
export function axisText({ label, unit }: ChartAxis | LinesAxis): string {
  return headingText({ header: label, unit });
}

function headingOf({ label, unit, form }: ChartAxis | LinesAxis) {
  return { header: label, unit, form };
}

function checkScale(name: string, { scale }: ChartAxis | LinesAxis, value: number): void {
  if (scale !== "log" || !(value <= 0)) return;
  throw invalidOption(
    name,
    value,
    "a logarithmic axis has no place for it",
    "Leave it out, or give a linear scale.",
  );
}

function noNumber(x: string) {
  return invalidOption("x", x, "it must be a number", "Give numbers, or x the scale category.");
}
