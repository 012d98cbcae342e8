/** Tables that can be sorted, and copied as CSV. */
import {
  certainty,
  formedParts,
  formedValue,
  isMeasured,
  numberOf,
  type ReportValue,
} from "../parts/figure.js";
import { commonCertainty, type Heading, headingText, type TablePart } from "../parts/table.js";
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
export function scrollingTable(part: TablePart, labelledBy: string): Node {
  const { columns, rows } = part;
  const measured = measuredColumns(columns, rows);
  const shown = columns.map((heading, i): Column => {
    const values = rows.map((row) => row[i]);
    return { heading, isNumeric: isNumeric(values), common: commonCertainty(part, i) };
  });
  const lines = rows.map((row) =>
    tag(
      "tr",
      { "data-csv": csvLine(row, measured) },
      shown.map((column, i) => cellNode(row[i], column)),
    ),
  );
  return tag(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-labelledby": labelledBy },
    tag(
      "table",
      { "aria-labelledby": labelledBy, "data-csv": csvHeader(columns, measured) },
      tag("thead", {}, tag("tr", {}, shown.map(headerNode))),
      tag("tbody", {}, lines),
    ),
  );
}

interface Column {
  readonly heading: Heading;
  readonly isNumeric: boolean;
  /** Of all figures: told once, in the header. */
  readonly common: string;
}

function headerNode({ heading, isNumeric, common }: Column): Node {
  return tag(
    "th",
    { scope: "col", class: isNumeric ? "number" : undefined, "aria-sort": "none" },
    tag("button", { type: "button", class: "sort" }, headingText(heading)),
    common === "" ? undefined : tag("span", { class: "note" }, common),
  );
}

function isNumeric(values: readonly ReportValue[]): boolean {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 && known.every((value) => typeof value !== "string" && typeof value !== "boolean");
}

function cellNode(value: ReportValue, { heading: { form }, isNumeric, common }: Column): Node {
  const attributes = { class: isNumeric ? "number" : undefined, "data-value": sortValue(value) };
  if (!isMeasured(value)) return tag("td", attributes, formedValue(value, form));
  const [number, interval] = formedParts(value, form);
  const note = [interval, common === "" ? certainty(value) : ""].filter(Boolean).join(" ");
  return tag("td", attributes, number, note === "" ? undefined : tag("span", { class: "note" }, ` ${note}`));
}

/** What a numeric column is sorted by; absent for text, for what is missing and for NaN, which stand last. */
function sortValue(value: ReportValue): string | undefined {
  if (value === undefined || typeof value === "string" || typeof value === "boolean") return undefined;
  const figure = typeof value === "bigint" ? Number(value) : numberOf(value);
  return Number.isNaN(figure) ? undefined : String(figure);
}
