/** Shares of right answers of two sides, as a table and a chart of the same rows. */
import { wilson } from "../../evaluation/statistics/wilson.js";
import { lineChart } from "../../report/parts/chart.js";
import type { ReportSection } from "../../report/parts/section.js";
import type { ReportColumn } from "../../report/parts/table.js";

/** Two sides that were asked the same, in as many rows as there are comparisons. */
export interface Shares<Row> {
  readonly rows: readonly Row[];
  readonly sides: readonly Side<Row>[];
  readonly table: {
    readonly title: string;
    readonly about?: string;
    /** What tells rows apart, before the shares. */
    readonly columns: readonly ReportColumn<Row>[];
  };
  readonly chart: {
    readonly title: string;
    /** The name of the axis, and a row's place on it. */
    readonly x: { readonly label: string; readonly of: (row: Row) => string };
    readonly y: string;
  };
}

export interface Side<Row> {
  /** In the table. */
  readonly header: string;
  /** In the chart. Default: as in the table. */
  readonly name?: string;
  /** Which answers are right. */
  readonly right: (row: Row) => readonly boolean[];
}

/** Adds both, with Wilson's intervals. */
export function showShares<Row>(section: ReportSection, { rows, sides, table, chart }: Shares<Row>): void {
  section.table({
    ...table,
    columns: [
      ...table.columns,
      ...sides.map(({ header, right }) => ({
        header,
        form: "percent" as const,
        value: (row: Row) => wilson(right(row)),
      })),
    ],
    rows,
  });
  section.plot(
    lineChart({
      title: chart.title,
      x: { label: chart.x.label, scale: "category" },
      y: { label: chart.y, form: "percent" },
      series: sides.map(({ header, name = header, right }) => ({
        name,
        points: rows.map((row) => ({ x: chart.x.of(row), y: wilson(right(row)) })),
      })),
    }),
  );
}
