import { Command } from "commander";
import { isLadError, LadError, type Run, type RunInfo, type Runtime } from "../../index.js";
import { type Column, renderTable } from "../../report/index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { bestOf, followTraining } from "../support/training.js";
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

/** `lad runs` */
export function runsCommand(cli: Cli): Command {
  const command = new Command("runs").addHelpText(
    "after",
    "\nExamples:\n  lad runs list\n  lad runs resume 3f2a        what was paused, or left by a Ctrl-C, goes on\n\nAn id may be cut to its first characters.",
  );
  const add = (
    usage: string,
    about: string,
    act: (reached: Reached, id: string, flags: Flags) => Promise<void>,
  ) =>
    withWorkerFlags(command.command(usage).description(about))
      .option("--json", "lines of JSON")
      .action((id: string, flags: Flags) => withKeeper(cli, flags, (reached) => act(reached, id, flags)));
  withWorkerFlags(
    command.command("list", { isDefault: true }).description("training runs, the last started last"),
  )
    .option("--all", "runs of sampling too")
    .option("--json", "one line of JSON for each")
    .action((flags: Flags) => withKeeper(cli, flags, ({ runtime }) => list(cli, runtime, flags)));
  add("show <id>", "what is known of a run", async ({ runtime }, id, { json }) =>
    show(cli, await found(runtime, id), json === true),
  );
  add("follow <id>", "its events, from the first on, until it ends", async ({ runtime }, id, { from }) =>
    follow(cli, await found(runtime, id), from),
  ).option("--from <n>", "the number of the first event", integer);
  add("pause <id>", "have it wait after its current step", async ({ runtime }, id) =>
    (await found(runtime, id)).pause(),
  );
  add("resume <id>", "have it go on, and follow it to its end", (reached, id, flags) =>
    resume(cli, reached, id, flags),
  );
  add("cancel <id>", "end it", async ({ runtime }, id) => (await found(runtime, id)).cancel());
  add("delete <id>", "forget a run that has ended, and its checkpoints", async ({ runtime }, id) =>
    forget(runtime, await found(runtime, id)),
  );
  return command;
}

async function list(cli: Cli, runtime: Runtime, { json, all }: Flags): Promise<void> {
  const runs = (await runtime.runs()).filter(({ kind }) => all || kind === "training");
  if (json) for (const run of runs) printJson(cli, run);
  else if (runs.length > 0) print(cli, renderTable(COLUMNS, runs));
  else note(cli, "There are no runs.");
}

async function show(cli: Cli, run: Run, json: boolean): Promise<void> {
  const info = await run.info();
  if (json) printJson(cli, info);
  else print(cli, JSON.stringify(info, null, 2));
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

async function follow(cli: Cli, run: Run, fromSeq = 0): Promise<void> {
  for await (const event of run.events({ fromSeq, signal: cli.leaving.signal })) printJson(cli, event);
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
