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

/** The table's lines, header first, a rule below it; columns are as wide as their widest cell. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((column, index) =>
    Math.max(stringWidth(column.header), ...cells.map((row) => stringWidth(row[index] ?? ""))),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => padded(text, widths[index] ?? 0, columns[index]?.align ?? "right"))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [line(columns.map((column) => column.header)), rule, ...cells.map(line)].join("\n");
}

function padded(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - stringWidth(text)));
  return align === "left" ? text + space : space + text;
}
