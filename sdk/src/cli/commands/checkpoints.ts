import { Command } from "commander";
import { LadError, type Runtime, recipeFor, type StoredCheckpoint } from "../../index.js";
import { bytes, type Column } from "../../report/index.js";
import { type Cli, note, print, printJson, printTable } from "../cli.js";
import { libraryFolder } from "../support/library.js";
import { loadBase } from "../support/loading.js";
import { type WorkerFlags, withKeeper, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags {
  readonly json?: boolean;
  readonly overwrite?: boolean;
}

const COLUMNS: readonly Column<StoredCheckpoint>[] = [
  { header: "name", align: "left", cell: ({ name }) => name },
  { header: "base", align: "left", cell: ({ baseName }) => baseName },
  { header: "rank", cell: ({ rank }) => String(rank) },
  { header: "steps", cell: ({ steps }) => String(steps) },
  { header: "size", cell: ({ nbytes }) => bytes(nbytes) },
];

/** `lad checkpoints` */
export function checkpointsCommand(cli: Cli): Command {
  const command = new Command("checkpoints").addHelpText(
    "after",
    "\nExamples:\n  lad checkpoints list\n  lad checkpoints keep half-way      its adapter, as one of `lad adapters`\n\nRuns and programs write them; `lad runs resume` goes on from them.",
  );
  withWorkerFlags(
    command
      .command("list", { isDefault: true })
      .description("the latest checkpoint of each name in the worker's state"),
  )
    .option("--json", "one line of JSON for each")
    .addHelpText("after", "\nExample:\n  lad checkpoints list --json")
    .action((flags: Flags) => withKeeper(cli, flags, ({ runtime }) => list(cli, runtime, flags)));
  withWorkerFlags(command.command("keep <name>").description("save its adapter as one of `lad adapters`"))
    .option("--overwrite", "replace an adapter of that name")
    .option("--json", "the adapter's name and folder as a line of JSON")
    .addHelpText("after", "\nExample:\n  lad checkpoints keep half-way")
    .action((name: string, flags: Flags) =>
      withKeeper(cli, flags, ({ runtime }) => keep(cli, runtime, name, flags)),
    );
  withWorkerFlags(command.command("delete <name>").description("remove it, which frees its name"))
    .option("--json", "its name as a line of JSON")
    .addHelpText("after", "\nExample:\n  lad checkpoints delete half-way")
    .action((name: string, flags: Flags) =>
      withKeeper(cli, flags, ({ runtime }) => deleted(cli, runtime, name, flags)),
    );
  return command;
}

async function list(cli: Cli, runtime: Runtime, { json }: Flags): Promise<void> {
  const checkpoints = await runtime.checkpoints();
  if (json) for (const checkpoint of checkpoints) printJson(cli, checkpoint);
  else if (checkpoints.length > 0) printTable(cli, COLUMNS, checkpoints);
  else note(cli, "There are no checkpoints.");
}

async function deleted(cli: Cli, runtime: Runtime, name: string, { json }: Flags): Promise<void> {
  await runtime.deleteCheckpoint(name);
  if (json) printJson(cli, { name, deleted: true });
  note(cli, `${name} is deleted.`);
}

async function keep(
  cli: Cli,
  runtime: Runtime,
  name: string,
  { overwrite = false, json }: Flags,
): Promise<void> {
  const found = (await runtime.checkpoints()).find((one) => one.name === name);
  if (found === undefined) {
    throw new LadError("not-found", `There is no checkpoint ${name}.`, {
      option: "name",
      value: name,
      remedy: "`lad checkpoints list` names those that there are.",
    });
  }
  const base = await loadBase(cli, runtime, found.baseName, recipeFor(found.baseName));
  await using adapter = await base.loadCheckpoint(name);
  await adapter.save(libraryFolder(name), { overwrite, signal: cli.leaving.signal });
  if (json) printJson(cli, { name, folder: libraryFolder(name) });
  else print(cli, name);
}
