/** A drawing's scales: their ranges, their ticks, and the room for their labels. */
import { axisText, type Chart, type ChartAxis, type LinesAxis } from "../parts/chart.js";
import { type FigureForm, formed, intervalOf, numberOf } from "../parts/figure.js";

/** The size of a drawing in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What is used of Observable Plot. Its types need those of a browser's document. */
export type PlotLibrary = Readonly<
  Record<
    "areaY" | "lineY" | "dot" | "ruleX" | "text" | "gridX" | "gridY" | "axisX" | "axisY",
    (data?: unknown, options?: object) => object
  >
>;

/** What marks are made from. */
export interface Drawing {
  readonly plot: PlotLibrary;
  readonly size: Size;
  readonly scales: Scales;
}

/** One scale, as Plot takes it. */
export interface Scale {
  readonly type: "linear" | "log" | "point";
  readonly domain: readonly (number | string)[];
  readonly label: string;
  readonly ticks?: readonly number[] | number;
  readonly tickFormat?: (value: number) => string;
}

/** The scales of a drawing, and its margins in pixels. */
export interface Scales {
  readonly x: Scale;
  readonly y: Scale;
  readonly marginLeft: number;
  readonly marginRight: number;
  readonly marginTop: number;
  readonly marginBottom: number;
}

/** Room for a tick's label, and the width of a digit, in pixels. */
const TICK_WIDTH = 46;
const DIGIT_WIDTH = 7;

export function scalesOf(chart: Chart, { width }: Size): Scales {
  const points = chart.kind === "lines" ? chart.series.flatMap((series) => series.points) : chart.points;
  const ys = points.flatMap(({ y }) => [numberOf(y), ...(intervalOf(y) ?? [])]).filter(Number.isFinite);
  const most = Math.floor(width / TICK_WIDTH);
  const y = numericScale(chart.y, ys, 6, 0.05);
  const widest = Math.max(...y.domain.map((end) => tickText(Number(end), chart.y.form).length));
  const margins = {
    marginLeft: DIGIT_WIDTH * Math.max(3, widest) + 16,
    marginRight: 24,
    marginTop: 32,
    marginBottom: 42,
  };
  return { x: horizontal(chart, most), y, ...margins };
}

function horizontal(chart: Chart, mostTicks: number): Scale {
  const { x } = chart;
  if (chart.kind === "frontier")
    return numericScale(
      x,
      chart.points.map((point) => point.x),
      mostTicks,
      0.06,
    );
  const values = chart.series.flatMap(({ points }) => points.map((point) => point.x));
  if (x.scale === "category") {
    return { type: "point", domain: [...new Set(values.map(String))], label: axisText(x) };
  }
  return numericScale(x, values.map(Number), mostTicks, 0);
}

/** @param room - share of the range that is left free at both ends */
function numericScale(
  axis: ChartAxis | LinesAxis,
  values: readonly number[],
  mostTicks: number,
  room: number,
): Scale {
  const finite = values.filter(Number.isFinite);
  const isLog = axis.scale === "log";
  const domain = isLog ? logDomain(finite, room) : linearDomain(finite, room);
  const { form } = axis;
  return {
    type: isLog ? "log" : "linear",
    domain,
    label: axisText(axis),
    ticks: isLog ? logTicks(finite, domain, mostTicks) : Math.min(8, mostTicks),
    tickFormat: (value) => tickText(value, form),
  };
}

function linearDomain(values: readonly number[], room: number): readonly [number, number] {
  const [low, high] = endsOf(values, [0, 1]);
  const space = low === high ? Math.abs(low) / 2 || 1 : (high - low) * room;
  return [low >= 0 ? Math.max(0, low - space) : low - space, high + space];
}

function logDomain(values: readonly number[], room: number): readonly [number, number] {
  const [low, high] = endsOf(
    values.filter((value) => value > 0),
    [1, 10],
  );
  const factor = low === high ? 2 : (high / low) ** room;
  return [low / factor, high * factor];
}

function endsOf(values: readonly number[], none: readonly [number, number]): readonly [number, number] {
  if (values.length === 0) return none;
  return [Math.min(...values), Math.max(...values)];
}

/** The values themselves where they are few, else powers of ten with their halves and fifths; no more than fit. */
function logTicks(
  values: readonly number[],
  [low, high]: readonly [number, number],
  most: number,
): readonly number[] {
  const own = [...new Set(values)].sort((a, b) => a - b);
  const powers = Array.from(
    { length: Math.max(1, Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1) },
    (_, i) => 10 ** (Math.floor(Math.log10(low)) + i),
  );
  const steps = powers.flatMap((power) => [power, 2 * power, 5 * power]);
  const isRegular =
    own.length > 1 && own.length <= 10 && own.every((value) => Number.isInteger(Math.log2(value)));
  const ticks = (isRegular ? own : steps).filter((tick) => tick >= low && tick <= high);
  const every = Math.ceil(ticks.length / Math.max(2, Math.min(most, 10)));
  return ticks.filter((_, i) => i % every === 0);
}

/** Few digits, and no zeros behind the last one. */
function tickText(value: number, form: FigureForm | undefined): string {
  if (form === "percent") return `${Number((value * 100).toPrecision(4))} %`;
  if (form !== undefined && form !== "number") return formed(value, form);
  return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 });
}
