/** A report's figures for other programs: JSON lines, one a result. */
import { stringify } from "../json.js";
import type { Chart } from "./parts/chart.js";
import { type Placed, placedParts, type ReportContent } from "./parts/content.js";
import { isMeasured, type ReportValue } from "./parts/figure.js";
import { headingText, type TablePart } from "./parts/table.js";

/**
 * One line for each row of a table, point of a chart, verdict and list of facts. A figure with certainty is an object of its value, n,
 * interval and method; NaN and ±Infinity are written as `{"$number": "NaN"}`, and what has more than 64 bits of a number as
 * `{"$bigint": "7"}`.
 */
export function resultLines(content: ReportContent): string {
  const lines = placedParts(content).flatMap((placed) =>
    resultsOf(placed).map((result) => ({ section: placed.section.title, ...result })),
  );
  return lines.map((line) => `${stringify(line)}\n`).join("");
}

function resultsOf({ part }: Placed): object[] {
  switch (part.kind) {
    case "table":
      return rowsOf(part);
    case "lines":
    case "frontier":
      return pointsOf(part);
    case "verdict": {
      const { claim, holds = null, figure, of, because } = part;
      return [{ kind: "verdict", claim, holds, of, figure: figure && kept(figure), because }];
    }
    case "facts":
      return [{ kind: "facts", values: valuesOf(part.facts) }];
    case "text":
    case "fold":
    case "trace":
      return [];
  }
}

function rowsOf({ title, columns, rows }: TablePart): object[] {
  return rows.map((row) => ({
    kind: "row",
    of: title,
    values: valuesOf(columns.map((column, i) => [headingText(column), row[i]] as const)),
  }));
}

function pointsOf(chart: Chart): object[] {
  const common = { kind: "point", of: chart.title };
  const names = { xLabel: chart.x.label, yLabel: chart.y.label };
  if (chart.kind === "frontier") {
    return chart.points.map(({ label, series, x, y }) => ({
      ...common,
      series,
      label,
      ...names,
      x,
      y: kept(y),
    }));
  }
  return chart.series.flatMap(({ name, points }) =>
    points.map(({ x, y }) => ({ ...common, series: name, ...names, x, y: kept(y) })),
  );
}

function valuesOf(entries: readonly (readonly [string, ReportValue])[]): object {
  return Object.fromEntries(entries.map(([name, value]) => [name, kept(value)]));
}

/** A figure's known fields alone, whatever else its object has. */
function kept(value: ReportValue): unknown {
  if (value === undefined) return null;
  if (!isMeasured(value)) return value;
  return { value: value.value, n: value.n, interval: value.interval, by: value.by };
}
