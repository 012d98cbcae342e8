/** A report's numbers, alone or with their certainty. */
import { bytes, duration, number, percent } from "../numbers.js";

/** A number with its certainty. An `Estimate` is one. */
export interface MeasuredFigure {
  /** The number itself. */
  readonly value: number;
  /** Of how many items. Default: not told. */
  readonly n?: number | undefined;
  /** Where it lies with 95 % confidence. Default: not told. */
  readonly interval?: readonly [low: number, high: number] | undefined;
  /** How the interval was found, such as `wilson`. Default: not told. */
  readonly by?: string | undefined;
}

/** A number, or one with its certainty. */
export type Figure = number | MeasuredFigure;

/** How numbers are written: as they are, as shares in percent, as bytes in powers of 1024, or as seconds on a clock. */
export type FigureForm = "number" | "percent" | "bytes" | "duration";

/** What a table's cell may be; undefined is a dash. */
export type ReportValue = string | boolean | bigint | Figure | undefined;

const FORMS: Readonly<Record<FigureForm, (value: number) => string>> = {
  number: (value) => number(value),
  percent,
  bytes,
  duration,
};

export function isMeasured(value: unknown): value is MeasuredFigure {
  return typeof value === "object" && value !== null && typeof (value as MeasuredFigure).value === "number";
}

export function numberOf(figure: Figure): number {
  return typeof figure === "number" ? figure : figure.value;
}

export function intervalOf(figure: Figure): readonly [number, number] | undefined {
  return typeof figure === "number" ? undefined : figure.interval;
}

/** `0.83`, by its form. */
export function formed(value: number, form: FigureForm = "number"): string {
  return Number.isFinite(value) || form === "number" || form === "percent" ? FORMS[form](value) : "–";
}

/** `[0.71, 0.92]`; empty without an interval. */
export function formedInterval(figure: Figure, form?: FigureForm): string {
  const interval = intervalOf(figure);
  return interval === undefined ? "" : `[${interval.map((end) => formed(end, form)).join(", ")}]`;
}

/** `n = 60, wilson`: how many items, and how the interval was found. */
export function certainty(figure: Figure): string {
  if (typeof figure === "number") return "";
  const { n, by } = figure;
  return [n === undefined ? "" : `n = ${number(n)}`, by ?? ""].filter(Boolean).join(", ");
}

/** `0.83 [0.71, 0.92]`. */
export function formedFigure(figure: Figure, form?: FigureForm): string {
  return [formed(numberOf(figure), form), formedInterval(figure, form)].filter(Boolean).join(" ");
}

/** Any cell as text. */
export function formedValue(value: ReportValue, form?: FigureForm): string {
  if (value === undefined) return "–";
  if (typeof value === "number" || isMeasured(value)) return formedFigure(value, form);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}
