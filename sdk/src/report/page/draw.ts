/** Draws charts as SVG with Observable Plot, in a document of linkedom. Both are loaded only when a report is written. */
import type { Chart } from "../parts/chart.js";
import { frontierMarks } from "./frontier.js";
import { linesMarks } from "./lines.js";
import type { Node } from "./node.js";
import { type Drawing, type PlotLibrary, type Size, scalesOf } from "./scales.js";
import { type DrawnNode, takenOver } from "./svg.js";

/** Draws a chart; the SVG has the given attributes. */
export type ChartDrawer = (
  chart: Chart,
  size: Size,
  attributes: Readonly<Record<string, string | undefined>>,
) => Node;

export async function chartDrawer(): Promise<ChartDrawer> {
  const [plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return (chart, size, attributes) => {
    const drawing: Drawing = { plot: plot as unknown as PlotLibrary, size, scales: scalesOf(chart, size) };
    const marks = chart.kind === "lines" ? linesMarks(chart, drawing) : frontierMarks(chart, drawing);
    const options = { document, ...size, ...drawing.scales, className: "plot", marks };
    const drawn = plot.plot(options as Parameters<typeof plot.plot>[0]) as unknown as DrawnNode;
    return takenOver(drawn, { ...attributes, role: "img" });
  };
}
