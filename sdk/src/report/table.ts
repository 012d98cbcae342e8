/**
 * A table of text, for standard output. Made here because what cli-table3 draws below the header it draws below every row, and one
 * line below the header is all that this table has.
 */
import stringWidth from "string-width";

/** One column: what it is called, and what it shows of a row. */
export interface Column<Row> {
  /** What it is called. */
  header: string;
  /** What it shows of a row. */
  cell: (row: Row) => string;
  /** Numbers read best from the right, which is the default. */
  align?: "left" | "right";
}

/** Between two columns. */
const GAP = "  ";
/** Before what goes on in a further line. */
const INDENT = "  ";

/**
 * The table's lines, header first, a rule below it; columns are as wide as their widest cell.
 *
 * @param width - the most characters in a line. A row that has more goes on in further lines, which are indented. Default: any number.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width = Number.POSITIVE_INFINITY,
): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((column, index) =>
    Math.max(stringWidth(column.header), ...cells.map((row) => stringWidth(row[index] ?? ""))),
  );
  const lines = linesOf(widths, width);
  const part = (texts: readonly string[], indices: readonly number[]) =>
    indices
      .map((index) => padded(texts[index] ?? "", widths[index] ?? 0, columns[index]?.align ?? "right"))
      .join(GAP)
      .trimEnd();
  const whole = (texts: readonly string[]) =>
    lines.map((indices, at) => `${at === 0 ? "" : INDENT}${part(texts, indices)}`).join("\n");
  const rule = (lines[0] ?? []).map((index) => "─".repeat(widths[index] ?? 0)).join(GAP);
  return [whole(columns.map((column) => column.header)), rule, ...cells.map(whole)].join("\n");
}

/** Which columns, by their indices, stand in each line of a row. */
function linesOf(widths: readonly number[], most: number): number[][] {
  const lines: number[][] = [[]];
  let used = -GAP.length; // the first column has no gap before it
  for (const [index, width] of widths.entries()) {
    const isFull = index > 0 && used + GAP.length + width > most;
    if (isFull) lines.push([index]);
    else lines.at(-1)?.push(index);
    used = isFull ? INDENT.length + width : used + GAP.length + width;
  }
  return lines;
}

function padded(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - stringWidth(text)));
  return align === "left" ? text + space : space + text;
}
