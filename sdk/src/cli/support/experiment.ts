/** Runs an experiment, draws its trainings, and tells its rows. */
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
import { number, percent, renderTable } from "../../report/index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { TrainingBars } from "./training-bars.js";

/**
 * The points of an experiment's sweep, one after another. A point that fails is told, the next one begins, and the
 * failure ends the command.
 */
export async function followExperiment(
  cli: Cli,
  runtime: Runtime,
  experiment: Experiment,
  json: boolean,
): Promise<void> {
  const bars = new TrainingBars(cli);
  const started = performance.now();
  const sweep = runExperiment(runtime, experiment, {
    signal: cli.leaving.signal,
    onEvent: (event, point) => bars.draw(labelOf(point), experiment.training.steps, event),
  });
  const rows: { point: string; result: ExperimentResult }[] = [];
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
  if (!json && rows.length > 0) print(cli, tableOf(rows));
  note(
    cli,
    `${rows.length} of ${sweep.points.length} done in ${Math.round((performance.now() - started) / 1000)} s.`,
  );
  if (stopped !== undefined) {
    note(cli, keptText(experiment.sweep?.manifest));
    throw stopped;
  }
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

function tableOf(rows: readonly { point: string; result: ExperimentResult }[]): string {
  const policies = Math.max(...rows.map(({ result }) => result.evaluations.length));
  return renderTable(
    [
      { header: "point", align: "left" as const, cell: ({ point }) => point },
      { header: "train CE", cell: ({ result }) => number(result.training.report?.corruptedCe) },
      { header: "validation CE", cell: ({ result }) => number(result.validation?.corruptedCe) },
      { header: "tokens/s", cell: ({ result }) => number(result.training.tokensPerSecond) },
      ...Array.from({ length: policies }, (_, at) => ({
        header: `exact match ${at + 1}`,
        cell: ({ result }: { result: ExperimentResult }) => percent(result.evaluations[at]?.exactMatch.value),
      })),
    ],
    rows,
  );
}

/** `rank 16, seed 2` */
function labelOf(point: Readonly<Record<string, unknown>>): string {
  return Object.entries(point)
    .map(([path, value]) => `${path.split(".").at(-1)} ${value}`)
    .join(", ");
}
