/** Runs an experiment, draws its trainings, and tells its rows. */
import { basename } from "node:path";
import {
  type Experiment,
  type ExperimentResult,
  type FailedPoint,
  isLadError,
  LadError,
  type LadErrorCode,
  type Runtime,
  runExperiment,
} from "../../index.js";
import { type Column, number, percent } from "../../report/index.js";
import { type Cli, note, printJson, printTable } from "../cli.js";
import { freeName, libraryFolder } from "./library.js";
import { TrainingBars } from "./training-bars.js";

/** A point that is done. */
interface Row {
  readonly point: string;
  readonly result: ExperimentResult;
}

/** Leaves room for what tells a name from one that is taken. */
const LONGEST_NAME = 60;

/**
 * The points of an experiment's sweep, one after another. A point that fails is told, the next one begins, and the
 * failure ends the command. With `keepAs` each adapter is kept, under that name and what tells its point from the others.
 */
export async function followExperiment(
  cli: Cli,
  runtime: Runtime,
  experiment: Experiment,
  { json, keepAs }: { readonly json: boolean; readonly keepAs?: string | undefined },
): Promise<void> {
  const bars = new TrainingBars(cli);
  const started = performance.now();
  const sweep = runExperiment(runtime, experiment, {
    signal: cli.leaving.signal,
    ...(keepAs === undefined
      ? {}
      : { saveTo: async (point) => libraryFolder(await keptName(keepAs, point)) }),
    onEvent: (event, point) => bars.draw(labelOf(point), experiment.training.steps, event),
  });
  const rows: Row[] = [];
  const failures: FailedPoint[] = [];
  let stopped: unknown;
  try {
    for await (const row of sweep) {
      bars.finish();
      const point = labelOf(row.point);
      if (row.status === "failed") {
        failures.push(row.error);
        note(cli, `${point}: ${row.error.message}`);
      } else {
        if (json) printJson(cli, { point: row.point, seconds: row.seconds, ...row.result });
        rows.push({ point, result: row.result });
      }
    }
  } catch (error) {
    if (!isLadError(error, "cancelled")) throw error;
    bars.finish();
    stopped = error;
  }
  if (!json && rows.length > 0) printTable(cli, columnsFor(rows), rows);
  note(
    cli,
    `${rows.length} of ${sweep.points.length} done in ${Math.round((performance.now() - started) / 1000)} s.`,
  );
  if (stopped !== undefined) {
    note(cli, keptText(experiment.sweep?.manifest));
    throw stopped;
  }
  if (keepAs !== undefined) tellKept(cli, rows);
  if (experiment.report !== undefined) note(cli, `The report is in ${experiment.report}.`);
  const [failure] = failures;
  if (failure !== undefined) {
    const code = (failure.code ?? "internal") as LadErrorCode;
    throw new LadError(code, `${failures.length} of ${sweep.points.length} points failed.`);
  }
}

function keptText(manifest: string | undefined): string {
  if (manifest === undefined)
    return "Nothing is kept: a sweep with a manifest can go on where it was stopped.";
  return `What is done is kept in ${manifest}: the same command goes on.`;
}

/** `tiny-rank-4`, or what is free of such names. */
function keptName(stem: string, point: Readonly<Record<string, unknown>>): Promise<string> {
  const values = Object.entries(point).map(([path, value]) => `${path.split(".").at(-1)}-${value}`);
  const name = [stem, ...values].join("-").replace(/[^A-Za-z0-9._-]/g, "-");
  return freeName(name.slice(0, LONGEST_NAME));
}

/** Says what the adapters are called, and what to type next. */
function tellKept(cli: Cli, rows: readonly Row[]): void {
  const kept = rows.flatMap(({ point, result: { folder } }) =>
    folder ? [{ point, name: basename(folder) }] : [],
  );
  for (const { point, name } of kept) note(cli, `${point} is kept as ${name}.`);
  if (kept.length < rows.length)
    note(cli, "Points that were done before are not kept: they are not trained again.");
  const [first, second] = kept;
  if (first === undefined) return;
  if (second === undefined) note(cli, `\`lad chat --adapter ${first.name}\` talks to it.`);
  else note(cli, `\`lad demo --adapter ${first.name} --adapter ${second.name}\` compares two of them.`);
}

function columnsFor(rows: readonly Row[]): Column<Row>[] {
  const policies = Math.max(...rows.map(({ result }) => result.evaluations.length));
  return [
    { header: "point", align: "left", cell: ({ point }) => point },
    { header: "train CE", cell: ({ result }) => number(result.training.report?.corruptedCe) },
    { header: "validation CE", cell: ({ result }) => number(result.validation?.corruptedCe) },
    { header: "tokens/s", cell: ({ result }) => number(result.training.tokensPerSecond) },
    ...Array.from({ length: policies }, (_, at) => ({
      header: `exact match ${at + 1}`,
      cell: ({ result }: Row) => percent(result.evaluations[at]?.exactMatch.value),
    })),
  ];
}

/** `rank 16, seed 2` */
function labelOf(point: Readonly<Record<string, unknown>>): string {
  return Object.entries(point)
    .map(([path, value]) => `${path.split(".").at(-1)} ${value}`)
    .join(", ");
}
