/** What a figure comes to: one JSON object, or a few lines of text. */
import { type Column, renderTable } from "../../sdk/src/report/table.js";
import type { Measurement, Role, Side } from "./side.js";
import { advantage, median, type Spread, spread } from "./statistics.js";
import type { Round, Sides } from "./turns.js";

/** What of a measurement is looked at. */
export interface Unit {
  readonly name: string;
  readonly better: "higher" | "lower";
  readonly of: (measurement: Measurement) => number;
}

/** One side's runs in the figure's unit, and its memory; figures add to it what else they measure. */
export interface Summary extends Spread {
  /** Resident after loading, before the first run. */
  readonly loadedBytes?: number | undefined;
  /** The most that was resident from then on. */
  readonly peakBytes?: number | undefined;
  readonly [extra: string]: unknown;
}

export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly ours: Summary;
  readonly reference: Summary | null;
  /** How many times as good as the reference ours is: the median of the rounds' own ratios. */
  readonly ratio: number | null;
  /** What every round, or every point of a table, came to. */
  readonly runs: readonly object[];
  /** What was measured, on what, with what. */
  readonly conditions: Readonly<Record<string, unknown>>;
}

/** The result of a figure that is more than one number: an object for programs, a text for people. */
export interface Report {
  readonly json: object;
  readonly text: string;
}

/** A figure's result, and what a reader should know beside its table. */
export interface Outcome {
  readonly result: Omit<Result, "name">;
  readonly notes: readonly string[];
}

/** Ours beside the reference, where there is one. */
export function compared(
  sides: Sides,
  rounds: readonly Round[],
  unit: Unit,
): Pick<Result, "unit" | "ours" | "reference" | "ratio" | "runs"> {
  const runs = rounds.map((round) => inUnit(round, unit));
  const ratios = runs.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
  const reference = sides.reference && summary(sides.reference, rounds, "reference", unit);
  return {
    unit: unit.name,
    ours: summary(sides.ours, rounds, "ours", unit),
    reference: reference ?? null,
    ratio: ratios.length > 0 ? median(ratios) : null,
    runs,
  };
}

export function summary(side: Side, rounds: readonly Round[], role: Role, unit: Unit): Summary {
  const taken = rounds.flatMap((round) => round[role] ?? []);
  const peaks = taken.flatMap(({ peakBytes }) => peakBytes ?? []);
  return {
    ...spread(taken.map(unit.of)),
    ...(peaks.length > 0 ? { loadedBytes: side.loadedBytes, peakBytes: Math.max(...peaks) } : {}),
  };
}

/** The two sides of one round, and their ratio. */
export function inUnit(round: Round, unit: Unit): { ours: number; reference?: number; ratio?: number } {
  const ours = unit.of(round.ours);
  if (round.reference === undefined) return { ours };
  const reference = unit.of(round.reference);
  return { ours, reference, ratio: advantage(ours, reference, unit.better) };
}

/** What a reader sees. */
export function asText(name: string, { result, notes }: Outcome): string {
  const { unit, ours, reference, ratio } = result;
  const rows = [
    { side: "ours", ...ours },
    ...(reference === null ? [] : [{ side: "reference", ...reference }]),
  ];
  const lines = [`${name}, ${unit}`, renderTable(COLUMNS, rows)];
  if (ratio !== null) lines.push(`ratio ${ratio.toFixed(2)} (above 1: ours is ahead)`);
  return [...lines, ...notes].join("\n");
}

type Row = Summary & { side: string };

const COLUMNS: readonly Column<Row>[] = [
  { header: "", align: "left", cell: ({ side }) => side },
  { header: "median", cell: ({ median }) => number(median) },
  { header: "min", cell: ({ min }) => number(min) },
  { header: "max", cell: ({ max }) => number(max) },
  { header: "loaded", cell: ({ loadedBytes }) => bytes(loadedBytes) },
  { header: "peak", cell: ({ peakBytes }) => bytes(peakBytes) },
];

/** Four significant digits. */
export function number(value: number): string {
  return Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString("en-US")
    : String(Number(value.toPrecision(4)));
}

function bytes(value: number | undefined): string {
  return value === undefined
    ? "–"
    : `${(value / 2 ** 20).toLocaleString("en-US", { maximumFractionDigits: 0 })} MiB`;
}
