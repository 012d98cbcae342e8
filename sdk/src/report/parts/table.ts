import { certainty, type FigureForm, type ReportValue } from "./figure.js";

/** One column of a report's table. */
export interface ReportColumn<Row> {
  /** What it is called. */
  readonly header: string;
  /** What its figures count, such as `nats`. Default: not told. */
  readonly unit?: string | undefined;
  /** How its numbers are written. Default: as they are. */
  readonly form?: FigureForm | undefined;
  /** What it shows of a row. */
  readonly value: (row: Row) => ReportValue;
}

/** A table of results. */
export interface ReportTable<Row> {
  /** What it shows. */
  readonly title: string;
  /** What the reader should know of it. Default: nothing. */
  readonly about?: string | undefined;
  /** From left to right; at least one. */
  readonly columns: readonly ReportColumn<Row>[];
  /** From top to bottom. */
  readonly rows: readonly Row[];
}

/** A table with its cells' values. */
export interface TablePart {
  readonly kind: "table";
  readonly title: string;
  readonly about: string | undefined;
  readonly columns: readonly Heading[];
  readonly rows: readonly (readonly ReportValue[])[];
}

/** What a column is called and how it is written. */
export interface Heading {
  readonly header: string;
  readonly unit?: string | undefined;
  readonly form?: FigureForm | undefined;
}

export function tablePart<Row>({ title, about, columns, rows }: ReportTable<Row>): TablePart {
  return {
    kind: "table",
    title,
    about,
    columns: columns.map(({ header, unit, form }) => ({ header, unit, form })),
    rows: rows.map((row) => columns.map(({ value }) => value(row))),
  };
}

/** `perplexity (nats)`. */
export function headingText({ header, unit }: Heading): string {
  return unit === undefined ? header : `${header} (${unit})`;
}

/** What all figures of a column have in common, such as `n = 256, wilson`; empty where they differ, or there is one figure alone. */
export function commonCertainty({ rows }: TablePart, column: number): string {
  const told = rows.flatMap((row) => (row[column] === undefined ? [] : [certainty(row[column])]));
  return told.length > 1 && new Set(told).size === 1 ? (told[0] ?? "") : "";
}
