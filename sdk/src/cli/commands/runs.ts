import { Command } from "commander";
import { isLadError, LadError, type Run, type RunInfo, type Runtime } from "../../index.js";
import type { Column } from "../../report/index.js";
import { type Cli, note, print, printJson, printTable, printText } from "../cli.js";
import { eventText, runText } from "../support/run-text.js";
import { bestOf, followTraining, stoppedInfo } from "../support/training.js";
import { TrainingBars } from "../support/training-bars.js";
import { forgetTraining, nameOfTraining } from "../support/trainings.js";
import { integer } from "../support/values.js";
import { type Reached, type WorkerFlags, withKeeper, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly from?: number;
}

const COLUMNS: readonly Column<RunInfo>[] = [
  { header: "id", align: "left", cell: ({ id }) => id },
  { header: "kind", align: "left", cell: ({ kind }) => kind },
  { header: "state", align: "left", cell: ({ state }) => state },
  { header: "base", align: "left", cell: ({ baseName }) => baseName },
  { header: "checkpoint", align: "left", cell: ({ checkpoint }) => checkpoint || "–" },
  { header: "steps", cell: ({ steps, totalSteps }) => (totalSteps > 0 ? `${steps}/${totalSteps}` : "–") },
  {
    header: "started",
    align: "left",
    cell: ({ created }) => created.toISOString().slice(0, 16).replace("T", " "),
  },
];

/** What no run comes back from. */
const ENDED: ReadonlySet<RunInfo["state"]> = new Set(["finished", "failed", "cancelled"]);

/** What `--json` prints where it is more than the run. */
const JSON_HELP: Readonly<Record<string, string>> = {
  show: "the run, with its specification, as a line of JSON",
  follow: "one line of JSON for each event",
  resume: "one line of JSON for each event",
  delete: "its id as a line of JSON",
};

/** `lad runs` */
export function runsCommand(cli: Cli): Command {
  const command = new Command("runs").addHelpText(
    "after",
    "\nExamples:\n  lad runs list\n  lad runs resume 3f2a        what was paused, or left by a Ctrl-C, goes on\n\nAn id may be cut to its first characters.",
  );
  const add = (
    name: string,
    about: string,
    act: (reached: Reached, id: string, flags: Flags) => Promise<void>,
  ) =>
    withWorkerFlags(command.command(`${name} <id>`).description(about))
      .option("--json", JSON_HELP[name] ?? "the run as a line of JSON")
      .addHelpText("after", `\nExample:\n  lad runs ${name} 3f2a`)
      .action((id: string, flags: Flags) => withKeeper(cli, flags, (reached) => act(reached, id, flags)));
  withWorkerFlags(
    command.command("list", { isDefault: true }).description("training runs, the last started last"),
  )
    .option("--all", "runs of sampling too")
    .option("--json", "one line of JSON for each")
    .addHelpText("after", "\nExamples:\n  lad runs list\n  lad runs list --all --json")
    .action((flags: Flags) => withKeeper(cli, flags, ({ runtime }) => list(cli, runtime, flags)));
  add("show", "what is known of a run, and how it was specified", async ({ runtime }, id, flags) =>
    show(cli, await found(runtime, id), flags),
  );
  add("follow", "its events, from the first on, until it ends", async ({ runtime }, id, flags) =>
    follow(cli, await found(runtime, id), flags),
  ).option("--from <n>", "the number of the first event", integer);
  add("pause", "have it wait after its current step", async ({ runtime }, id, flags) => {
    const run = await found(runtime, id);
    await run.pause();
    const stopped = await stoppedInfo(run, cli.leaving.signal);
    tell(cli, stopped, flags, ({ state, steps }) => `${run.id} is ${state} after ${steps} steps.`);
  });
  add("resume", "have it go on, and follow it to its end", (reached, id, flags) =>
    resume(cli, reached, id, flags),
  );
  add("cancel", "end it", async ({ runtime }, id, flags) => {
    const run = await found(runtime, id);
    await run.cancel();
    tell(cli, await run.info(), flags, ({ state }) => `${run.id} is ${state}.`);
  });
  add("delete", "forget a run that has ended, and its checkpoints", async ({ runtime }, id, flags) => {
    const run = await found(runtime, id);
    await forget(runtime, run);
    if (flags.json) printJson(cli, { id: run.id, deleted: true });
    else note(cli, `${run.id} is deleted.`);
  });
  return command;
}

/** A run that another version of the worker has kept does not tell how it was specified. */
async function show(cli: Cli, run: Run, { json }: Flags): Promise<void> {
  const info = await run.info();
  const specification = await run.specification().catch((error: unknown) => {
    if (isLadError(error, "version-mismatch")) return undefined;
    throw error;
  });
  if (json) printJson(cli, { ...info, specification });
  else print(cli, runText(info, specification));
}

/** Tells a run: as JSON, or as `text` has it. */
function tell(cli: Cli, info: RunInfo, { json }: Flags, text: (info: RunInfo) => string): void {
  if (json) printJson(cli, info);
  else printText(cli, text(info));
}

async function list(cli: Cli, runtime: Runtime, { json, all }: Flags): Promise<void> {
  const runs = (await runtime.runs()).filter(({ kind }) => all || kind === "training");
  if (json) for (const run of runs) printJson(cli, run);
  else if (runs.length > 0) printTable(cli, COLUMNS, runs);
  else note(cli, "There are no runs.");
}

/** Forgets a run, with the checkpoints that it could go on from: their names are then free. */
async function forget(runtime: Runtime, run: Run): Promise<void> {
  const { checkpoint } = await run.info();
  await runtime.deleteRun(run.id);
  await forgetTraining(run.id);
  for (const name of checkpoint === "" ? [] : [checkpoint, bestOf(checkpoint)]) {
    await runtime.deleteCheckpoint(name).catch((error: unknown) => {
      if (!isLadError(error, "not-found")) throw error;
    });
  }
}

/** Tells a run's events as they come; its steps are a bar. */
async function follow(cli: Cli, run: Run, { from: fromSeq = 0, json }: Flags): Promise<void> {
  const { totalSteps, checkpoint } = await run.info();
  const bar = new TrainingBars(cli);
  for await (const numbered of run.events({ fromSeq, signal: cli.leaving.signal })) {
    const { event } = numbered;
    if (json) printJson(cli, numbered);
    else if (event.type === "step") bar.draw(checkpoint || run.id, totalSteps, event);
    const line = eventText(event);
    if (json || line === undefined) continue;
    bar.finish();
    printText(cli, line);
  }
  bar.finish();
}

async function resume(cli: Cli, { runtime, isShared }: Reached, id: string, { json }: Flags): Promise<void> {
  const run = await found(runtime, id);
  const { checkpoint, state } = await run.info();
  const noted = await nameOfTraining(run.id);
  if (ENDED.has(state) && !(state === "finished" && noted !== undefined)) {
    const remedy = state === "finished" ? "`lad adapters list` has what it trained." : "Train again.";
    throw new LadError("invalid-state", `The run ${run.id} is ${state}: there is nothing to go on with.`, {
      remedy,
    });
  }
  await run.resume();
  const name = noted ?? (checkpoint || run.id);
  await followTraining(cli, { runtime, run, name, isShared, json: json === true });
}

/** The run whose id begins so. */
async function found(runtime: Runtime, start: string): Promise<Run> {
  const ids = (await runtime.runs()).map(({ id }) => id);
  const fit = ids.includes(start)
    ? [start]
    : ids.filter((id) => id.startsWith(start) || id.startsWith(`run-${start}`));
  const [only, second] = fit;
  if (only !== undefined && second === undefined) return runtime.run(only);
  const several = fit.length > 1 ? `${fit.length} runs begin with ${start}.` : `No run begins with ${start}.`;
  throw new LadError("not-found", several, {
    option: "id",
    value: start,
    remedy: "`lad runs list --all` has them all.",
  });
}
