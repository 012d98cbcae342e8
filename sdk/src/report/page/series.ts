/** How a chart's series are told apart: by colour, by dashes and by the shape of their points. */
import type { Chart } from "../parts/chart.js";
import { type Node, tag } from "./node.js";

/** How a series is drawn. */
export interface SeriesStyle {
  readonly color: string;
  /** As SVG's `stroke-dasharray`; undefined is a solid line. */
  readonly dash: string | undefined;
  readonly shape: Shape;
}

/** A point's shape: corners in units of its radius, or a circle. */
export type Shape = "circle" | readonly (readonly [x: number, y: number])[];

/** The colours are in the page's styles, for dark and for light, tellable apart by most colour-blind readers. */
const COLORS = 8;
const DASHES = [undefined, "7 3", "2 3", "9 3 2 3"];
const SHAPES: readonly Shape[] = [
  "circle",
  [
    [-0.9, -0.9],
    [0.9, -0.9],
    [0.9, 0.9],
    [-0.9, 0.9],
  ],
  [
    [0, -1.2],
    [1.1, 0.8],
    [-1.1, 0.8],
  ],
  [
    [0, -1.3],
    [1.1, 0],
    [0, 1.3],
    [-1.1, 0],
  ],
  [
    [0, 1.2],
    [1.1, -0.8],
    [-1.1, -0.8],
  ],
];

export function seriesStyle(index: number): SeriesStyle {
  return {
    color: `var(--s${(index % COLORS) + 1})`,
    dash: DASHES[index % DASHES.length],
    shape: SHAPES[index % SHAPES.length] as Shape,
  };
}

/** The names of a chart's series, each once. */
export function seriesNames(chart: Chart): string[] {
  if (chart.kind === "lines") return chart.series.map(({ name }) => name);
  return [...new Set(chart.points.flatMap(({ series }) => (series === undefined ? [] : [series])))];
}

/** What a legend shows of a series. */
export function signOf(index: number): Node {
  const { color, dash, shape } = seriesStyle(index);
  const line = { x1: 1, x2: 29, y1: 7, y2: 7, stroke: color, "stroke-width": 2, "stroke-dasharray": dash };
  const point =
    shape === "circle"
      ? tag("circle", { cx: 15, cy: 7, r: 4, fill: color })
      : tag("path", { d: `M${shape.map(([x, y]) => `${15 + 4 * x},${7 + 4 * y}`).join("L")}Z`, fill: color });
  return tag(
    "svg",
    { width: 30, height: 14, viewBox: "0 0 30 14", "aria-hidden": "true" },
    tag("line", line),
    point,
  );
}
