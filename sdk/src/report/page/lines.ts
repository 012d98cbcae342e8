/** The marks of a line chart. */
import type { ChartPoint, LinesPart } from "../parts/chart.js";
import { formedFigure, formedValue, intervalOf, numberOf } from "../parts/figure.js";
import { axisMarks, plotSymbol } from "./marks.js";
import type { Drawing } from "./scales.js";
import { seriesStyle } from "./series.js";

/** Lines of more points are drawn without dots. */
const MOST_DOTS = 24;
/** Pixels between the series of one category. */
const DODGE = 11;

export function linesMarks(chart: LinesPart, drawing: Drawing): object[] {
  const names = chart.series.map((_, index) => index);
  const marks = names.map((index) =>
    chart.x.scale === "category" ? dodged(chart, index, drawing) : joined(chart, index, drawing),
  );
  return [...axisMarks(drawing), ...marks.flat()];
}

/** A line with its band; one point alone has a bar in place of the band. */
function joined(chart: LinesPart, index: number, { plot }: Drawing): object[] {
  const points = drawable(chart, index).sort((a, b) => Number(a.x) - Number(b.x));
  const { color, dash } = seriesStyle(index);
  const banded = points.filter((point) => intervalOf(point.y) !== undefined);
  const x = ({ x: at }: ChartPoint) => at;
  const ends = { y1: lowOf, y2: highOf };
  const marks: object[] = [];
  if (points.length === 1) marks.push(plot.ruleX(banded, { x, ...ends, stroke: color, strokeWidth: 1.5 }));
  else if (banded.length > 0) marks.push(plot.areaY(banded, { x, ...ends, fill: color, fillOpacity: 0.16 }));
  marks.push(
    plot.lineY(points, {
      x,
      y: yOf,
      stroke: color,
      strokeWidth: 2,
      strokeDasharray: dash,
      strokeLinejoin: "round",
    }),
  );
  if (points.length <= MOST_DOTS) marks.push(dots(chart, index, points, 0, plot));
  return marks;
}

/** The points of a series in each category, beside those of the others, with bars for their intervals. */
function dodged(chart: LinesPart, index: number, { plot }: Drawing): object[] {
  const points = drawable(chart, index);
  const { color } = seriesStyle(index);
  const dx = (index - (chart.series.length - 1) / 2) * DODGE;
  const banded = points.filter((point) => intervalOf(point.y) !== undefined);
  const x = ({ x: at }: ChartPoint) => String(at);
  return [
    plot.ruleX(banded, { x, y1: lowOf, y2: highOf, stroke: color, strokeWidth: 1.5, dx }),
    dots(chart, index, points, dx, plot),
  ];
}

function dots(
  { x, y, series }: LinesPart,
  index: number,
  points: readonly ChartPoint[],
  dx: number,
  plot: Drawing["plot"],
): object {
  const { color, shape } = seriesStyle(index);
  const name = series[index]?.name ?? "";
  return plot.dot(points, {
    x: (point: ChartPoint) => (x.scale === "category" ? String(point.x) : point.x),
    y: yOf,
    r: 3.5,
    dx,
    fill: color,
    symbol: plotSymbol(shape),
    title: (point: ChartPoint) =>
      `${name}: ${formedFigure(point.y, y.form)} at ${formedValue(point.x, x.form)}`,
  });
}

function drawable({ series }: LinesPart, index: number): ChartPoint[] {
  const points = series[index]?.points ?? [];
  return points.filter(
    ({ x, y }) => Number.isFinite(numberOf(y)) && (typeof x === "string" || Number.isFinite(x)),
  );
}

const yOf = ({ y }: ChartPoint) => numberOf(y);
const lowOf = ({ y }: ChartPoint) => intervalOf(y)?.[0];
const highOf = ({ y }: ChartPoint) => intervalOf(y)?.[1];
