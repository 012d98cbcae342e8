/** A table of text, for standard output. */

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
    Math.max(length(column.header), ...cells.map((row) => length(row[index] ?? ""))),
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
  const space = " ".repeat(Math.max(0, width - length(text)));
  return align === "left" ? text + space : space + text;
}

/** Characters as they are seen: code points, not UTF-16 units. */
function length(text: string): number {
  return [...text].length;
}
