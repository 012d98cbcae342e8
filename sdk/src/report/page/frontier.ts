/** The marks of a frontier: points with their labels, and the line along those that no other betters. */
import type { FrontierPart, FrontierPoint } from "../parts/chart.js";
import { formedFigure, formedValue, intervalOf, numberOf } from "../parts/figure.js";
import { placeLabels } from "./labels.js";
import { axisMarks, plotSymbol } from "./marks.js";
import type { Drawing } from "./scales.js";
import { seriesNames, seriesStyle } from "./series.js";

const ALONE = { color: "var(--ink)", dash: undefined, shape: "circle" } as const;

export function frontierMarks(chart: FrontierPart, drawing: Drawing): object[] {
  const { plot } = drawing;
  const points = chart.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(numberOf(y)));
  const names = seriesNames(chart);
  const groups = [undefined, ...names].map((name, i) => ({
    style: name === undefined ? ALONE : seriesStyle(i - 1),
    isJoined: name !== undefined,
    members: points.filter(({ series }) => series === name).sort((a, b) => a.x - b.x),
  }));
  const best = frontierOf(points);
  const step = { x: xOf, y: yOf, curve: "step-after", stroke: "var(--soft)", strokeDasharray: "1 4" };
  return [
    ...axisMarks(drawing),
    plot.lineY(best, { ...step, strokeWidth: 2.5, strokeLinecap: "round" }),
    ...groups.flatMap(({ style: { color, dash, shape }, isJoined, members }) => [
      ...(isJoined
        ? [plot.lineY(members, { x: xOf, y: yOf, stroke: color, strokeOpacity: 0.6, strokeDasharray: dash })]
        : []),
      plot.ruleX(
        members.filter(({ y }) => intervalOf(y) !== undefined),
        { x: xOf, y1: lowOf, y2: highOf, stroke: color, strokeOpacity: 0.6, strokeWidth: 1.5 },
      ),
      plot.dot(members, {
        x: xOf,
        y: yOf,
        r: 4.5,
        fill: color,
        symbol: plotSymbol(shape),
        title: ({ label, x, y }: FrontierPoint) =>
          `${label}: ${formedFigure(y, chart.y.form)} at ${formedValue(x, chart.x.form)}`,
      }),
    ]),
    ...labelMarks(chart, drawing),
  ];
}

/** The points that no cheaper or equally cheap one reaches, cheapest first. */
export function frontierOf(points: readonly FrontierPoint[]): FrontierPoint[] {
  const best: FrontierPoint[] = [];
  for (const point of [...points].sort((a, b) => a.x - b.x || yOf(b) - yOf(a))) {
    const last = best.at(-1);
    if (last === undefined || yOf(point) > yOf(last)) best.push(point);
  }
  return best;
}

function labelMarks({ points }: FrontierPart, drawing: Drawing): object[] {
  const placed = placeLabels(
    points.map(({ label, x, y }) => ({ text: label, x, y: numberOf(y) })),
    drawing,
  );
  return placed.map(({ text, x, y, dx, dy, anchor }) =>
    drawing.plot.text([{ x, y }], {
      x: "x",
      y: "y",
      text: () => text,
      dx,
      dy,
      textAnchor: anchor,
      fontSize: 11.5,
      fill: "var(--ink)",
      stroke: "var(--paper)",
      strokeWidth: 4,
    }),
  );
}

const xOf = ({ x }: FrontierPoint) => x;
const yOf = ({ y }: FrontierPoint) => numberOf(y);
const lowOf = ({ y }: FrontierPoint) => intervalOf(y)?.[0];
const highOf = ({ y }: FrontierPoint) => intervalOf(y)?.[1];
