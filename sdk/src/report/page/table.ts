/** Tables that can be sorted, and copied as CSV. */
import {
  certainty,
  formed,
  formedInterval,
  formedValue,
  isMeasured,
  numberOf,
  type ReportValue,
} from "../parts/figure.js";
import { type Heading, headingText, type TablePart } from "../parts/table.js";
import { csvHeader, csvLine, measuredColumns } from "./csv.js";
import { type Node, tag } from "./node.js";

/** @param id - unique in the page */
export function tableNode(part: TablePart, id: string): Node {
  return tag(
    "div",
    { class: "table" },
    tag(
      "div",
      { class: "bar" },
      tag("h3", { id }, part.title),
      tag(
        "button",
        { type: "button", class: "button copy", hidden: true, "aria-describedby": id },
        "Copy CSV",
      ),
    ),
    part.about === undefined ? undefined : tag("p", {}, part.about),
    scrollingTable(part, id),
  );
}

/** The table itself, in a region that scrolls where the page is too narrow for it. */
export function scrollingTable({ columns, rows }: TablePart, labelledBy: string): Node {
  const numeric = columns.map((_, i) => isNumeric(rows.map((row) => row[i])));
  const measured = measuredColumns(columns, rows);
  const header = columns.map((column, i) =>
    tag(
      "th",
      { scope: "col", class: numeric[i] ? "number" : undefined, "aria-sort": "none" },
      tag("button", { type: "button", class: "sort" }, headingText(column)),
    ),
  );
  const lines = rows.map((row) =>
    tag(
      "tr",
      { "data-csv": csvLine(row, measured) },
      columns.map((column, i) => cellNode(row[i], column, numeric[i] === true)),
    ),
  );
  return tag(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-labelledby": labelledBy },
    tag(
      "table",
      { "aria-labelledby": labelledBy, "data-csv": csvHeader(columns, measured) },
      tag("thead", {}, tag("tr", {}, header)),
      tag("tbody", {}, lines),
    ),
  );
}

function isNumeric(values: readonly ReportValue[]): boolean {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 && known.every((value) => typeof value !== "string" && typeof value !== "boolean");
}

function cellNode(value: ReportValue, { form }: Heading, numeric: boolean): Node {
  const attributes = { class: numeric ? "number" : undefined, "data-value": sortValue(value) };
  if (!isMeasured(value)) return tag("td", attributes, formedValue(value, form));
  const interval = formedInterval(value, form);
  const note = [interval, certainty(value)].filter(Boolean).join(" ");
  return tag(
    "td",
    attributes,
    formed(numberOf(value), form),
    note === "" ? undefined : tag("span", { class: "note" }, ` ${note}`),
  );
}

/** What a numeric column is sorted by; absent for text, for what is missing and for NaN, which stand last. */
function sortValue(value: ReportValue): string | undefined {
  if (value === undefined || typeof value === "string" || typeof value === "boolean") return undefined;
  const figure = typeof value === "bigint" ? Number(value) : numberOf(value);
  return Number.isNaN(figure) ? undefined : String(figure);
}
