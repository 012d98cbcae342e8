/** A chart with its title, its legend, and its figures as a table. */
import { type Chart, chartTable } from "../parts/chart.js";
import type { ChartDrawer } from "./draw.js";
import { type Node, tag } from "./node.js";
import { seriesNames, signOf } from "./series.js";
import { scrollingTable } from "./table.js";

/** Widths in pixels: one drawing for wide pages, one for phones. */
const SIZES = [
  { name: "wide", width: 760, height: 380 },
  { name: "narrow", width: 340, height: 300 },
] as const;

/** @param id - unique in the page */
export function chartNode(chart: Chart, id: string, draw: ChartDrawer): Node {
  const told = `${id}-about`;
  const labels = {
    "aria-labelledby": id,
    "aria-describedby": chart.about === undefined ? undefined : told,
  };
  const drawings = SIZES.map(({ name, ...size }) => draw(chart, size, { class: `chart ${name}`, ...labels }));
  return tag(
    "figure",
    { "aria-labelledby": id },
    tag(
      "figcaption",
      {},
      tag("h3", { id }, chart.title),
      chart.about === undefined ? undefined : tag("p", { id: told }, chart.about),
    ),
    legend(chart),
    drawings,
    figures(chart, id),
  );
}

function legend(chart: Chart): Node | undefined {
  const names = seriesNames(chart);
  if (names.length < 2) return undefined;
  return tag(
    "ul",
    { class: "legend" },
    names.map((name, i) => tag("li", {}, signOf(i), ` ${name}`)),
  );
}

function figures(chart: Chart, id: string): Node {
  const summary = tag("summary", {}, "The figures as a table");
  const copy = tag(
    "button",
    { type: "button", class: "button copy", hidden: true, "aria-describedby": id },
    "Copy CSV",
  );
  return tag("details", { class: "table" }, summary, copy, scrollingTable(chartTable(chart), id));
}
