import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Command } from "commander";
import { type Column, renderTable } from "../../report/index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { copied } from "../support/adapter-copies.js";
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
    .action(({ json }: { json?: boolean }) => list(cli, json === true));
  command
    .command("export <name> <folder>")
    .description("copy an adapter to a folder, as PEFT reads it")
    .action((name: string, folder: string) => exported(cli, name, folder));
  command.addCommand(importCommand(cli));
  command.addCommand(mergeCommand(cli));
  command.addCommand(pushCommand(cli));
  command
    .command("drop <names...>")
    .description("delete adapters from LAD_HOME")
    .action((names: string[]) => dropped(cli, names));
  return command;
}

async function list(cli: Cli, json: boolean): Promise<void> {
  const adapters = await library((damaged) => note(cli, damaged));
  if (json) for (const adapter of adapters) printJson(cli, adapter);
  else if (adapters.length > 0) print(cli, renderTable(COLUMNS, adapters));
  else note(cli, "There are no adapters yet: `lad train` makes one.");
}

async function exported(cli: Cli, name: string, target: string): Promise<void> {
  const { folder } = await findAdapter(name);
  await copied(folder, target, "Give another folder.");
  note(cli, `${name} is in ${target}.`);
}

async function dropped(cli: Cli, names: readonly string[]): Promise<void> {
  for (const name of names) {
    checkName(name);
    if (!existsSync(libraryFolder(name))) await findAdapter(name); // tells the nearest, before any is deleted
  }
  for (const name of names) {
    await rm(libraryFolder(name), { recursive: true });
    note(cli, `${name} is deleted.`);
  }
}
