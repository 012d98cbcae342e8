/** Tables as CSV (RFC 4180). A figure with certainty takes several columns: its value, both ends of its interval, and its n. */
import { isMeasured, type ReportValue } from "../parts/figure.js";
import { type Heading, headingText } from "../parts/table.js";

/** Which columns have figures with certainty. */
export function measuredColumns(
  columns: readonly Heading[],
  rows: readonly (readonly ReportValue[])[],
): readonly boolean[] {
  return columns.map((_, i) => rows.some((row) => isMeasured(row[i])));
}

export function csvHeader(columns: readonly Heading[], measured: readonly boolean[]): string {
  return columns
    .flatMap((column, i) => {
      const name = headingText(column);
      return measured[i] ? [name, `${name} low`, `${name} high`, `${name} n`] : [name];
    })
    .map(csvCell)
    .join(",");
}

export function csvLine(row: readonly ReportValue[], measured: readonly boolean[]): string {
  return row
    .flatMap((value, i): ReportValue[] => {
      if (!measured[i]) return [value];
      if (!isMeasured(value)) return [value, undefined, undefined, undefined];
      return [value.value, value.interval?.[0], value.interval?.[1], value.n];
    })
    .map(csvCell)
    .join(",");
}

/** What a spreadsheet would take for a formula begins with an apostrophe. */
function csvCell(value: ReportValue): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
