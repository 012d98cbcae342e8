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

/** How numbers are written. */
export type FigureForm =
  /** As they are. */
  | "number"
  /** Shares of one, in percent. */
  | "percent"
  /** In powers of 1024. */
  | "bytes"
  /** Seconds, as a clock shows them. */
  | "duration";

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

/** Undefined where no interval is known. */
export function intervalOf(figure: Figure): readonly [number, number] | undefined {
  if (typeof figure === "number") return undefined;
  return figure.interval?.some(Number.isNaN) ? undefined : figure.interval;
}

/** `0.830`, by its form. */
export function formed(value: number, form: FigureForm = "number"): string {
  const text = Number.isFinite(value) || form === "number" || form === "percent" ? FORMS[form](value) : "–";
  return text.replace(/^-/, "−");
}

/** A figure's number and its interval, both to the decimals of the number: `1.03` and `[1.00, 1.06]`. */
export function formedParts(figure: Figure, form: FigureForm = "number"): [value: string, interval: string] {
  const value = numberOf(figure);
  const interval = intervalOf(figure);
  if (interval === undefined) return [formed(value, form), ""];
  if (form === "bytes" || form === "duration")
    return [formed(value, form), between(interval, (end) => formed(end, form))];
  const scale = form === "percent" ? 100 : 1;
  const fixed = (number: number) => fixedNumber(number * scale, value * scale, form === "percent");
  return [form === "percent" ? formed(value, form) : fixed(value), between(interval, fixed)];
}

/** `0.830 [0.710, 0.920]`. */
export function formedFigure(figure: Figure, form?: FigureForm): string {
  return formedParts(figure, form).filter(Boolean).join(" ");
}

function between(interval: readonly [number, number], form: (end: number) => string): string {
  return `[${interval.map(form).join(", ")}]`;
}

/** To as many decimals as a number of the size of `like` is written with. */
function fixedNumber(value: number, like: number, isPercent: boolean): string {
  if (!Number.isFinite(value) || !Number.isFinite(like)) return formed(value);
  const size = Math.abs(like);
  const decimals = isPercent || (size >= 10 && size < 100) ? 1 : size >= 100 ? 0 : size >= 1 ? 2 : 3;
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return value.toLocaleString("en-US", digits).replace(/^-/, "−");
}

/** `n = 60, wilson`: how many items, and how the interval was found. */
export function certainty(value: ReportValue): string {
  if (!isMeasured(value)) return "";
  const { n, by } = value;
  return [n === undefined ? "" : `n = ${number(n)}`, by ?? ""].filter(Boolean).join(", ");
}

/** Any cell as text. */
export function formedValue(value: ReportValue, form?: FigureForm): string {
  if (value === undefined) return "–";
  if (typeof value === "number" || isMeasured(value)) return formedFigure(value, form);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}
