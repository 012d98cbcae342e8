import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Command } from "commander";
import { copyAdapterFolder } from "../../index.js";
import type { Column } from "../../report/index.js";
import { type Cli, note, printJson, printTable } from "../cli.js";
import { checkName, findAdapter, library, libraryFolder, type NamedAdapter } from "../support/library.js";
import { importCommand } from "./adapters/import.js";
import { mergeCommand } from "./adapters/merge.js";
import { pushCommand } from "./adapters/push.js";

const COLUMNS: readonly Column<NamedAdapter>[] = [
  { header: "name", align: "left", cell: ({ name }) => name },
  { header: "base", align: "left", cell: ({ baseName = "–" }) => baseName },
  { header: "rank", cell: ({ rank }) => String(rank) },
  { header: "steps", cell: ({ steps }) => steps?.toLocaleString("en-US") ?? "–" },
  { header: "attention", align: "left", cell: ({ attention = "–" }) => attention },
  { header: "saved", align: "left", cell: ({ saved }) => saved.toISOString().slice(0, 16).replace("T", " ") },
];

/** `lad adapters` */
export function adaptersCommand(cli: Cli): Command {
  const command = new Command("adapters").addHelpText(
    "after",
    "\nExamples:\n  lad adapters list\n  lad adapters export capitals ./capitals   PEFT's format, with a card\n  lad adapters import ./downloaded --name theirs\n  lad adapters merge capitals ./merged      a whole model, for transformers",
  );
  command
    .command("list", { isDefault: true })
    .description("the adapters in LAD_HOME, the last saved first")
    .option("--json", "one line of JSON for each")
    .addHelpText("after", "\nExamples:\n  lad adapters list\n  lad adapters list --json | jq .name")
    .action(({ json }: { json?: boolean }) => list(cli, json === true));
  command
    .command("export <name> <folder>")
    .description("copy an adapter to a folder, as PEFT reads it")
    .option("--json", "its name and the folder as a line of JSON")
    .addHelpText("after", "\nExample:\n  lad adapters export capitals ./capitals")
    .action((name: string, folder: string, { json }: { json?: boolean }) =>
      exported(cli, name, folder, json === true),
    );
  command.addCommand(importCommand(cli));
  command.addCommand(mergeCommand(cli));
  command.addCommand(pushCommand(cli));
  command
    .command("drop <names...>")
    .description("delete adapters from LAD_HOME")
    .option("--json", "one line of JSON for each")
    .addHelpText("after", "\nExample:\n  lad adapters drop tiny-r64 tiny-r64-2")
    .action((names: string[], { json }: { json?: boolean }) => dropped(cli, names, json === true));
  return command;
}

async function list(cli: Cli, json: boolean): Promise<void> {
  const adapters = await library((damaged) => note(cli, damaged));
  if (json) for (const adapter of adapters) printJson(cli, adapter);
  else if (adapters.length > 0) printTable(cli, COLUMNS, adapters);
  else note(cli, "There are no adapters yet: `lad train` makes one.");
}

async function exported(cli: Cli, name: string, target: string, json: boolean): Promise<void> {
  const { folder } = await findAdapter(name);
  await copyAdapterFolder(folder, target);
  if (json) printJson(cli, { name, folder: resolve(target) });
  note(cli, `${name} is in ${target}.`);
}

async function dropped(cli: Cli, names: readonly string[], json: boolean): Promise<void> {
  for (const name of names) {
    checkName(name);
    if (!existsSync(libraryFolder(name))) await findAdapter(name); // tells the nearest, before any is deleted
  }
  for (const name of names) {
    await rm(libraryFolder(name), { recursive: true });
    if (json) printJson(cli, { name, dropped: true });
    note(cli, `${name} is deleted.`);
  }
}
