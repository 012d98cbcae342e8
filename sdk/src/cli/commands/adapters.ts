import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { copyFile, rename, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { LadError, readAdapterFolder } from "../../index.js";
import { makeFolder } from "../../make-folder.js";
import { type Column, renderTable } from "../../report/index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import {
  checkName,
  findAdapter,
  freeName,
  library,
  libraryFolder,
  type NamedAdapter,
} from "../support/library.js";
import { mergeCommand } from "./adapters/merge.js";

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
  command
    .command("import <folder>")
    .description("copy a PEFT adapter into LAD_HOME")
    .option("-n, --name <name>", "what it is called (default: the folder's name)")
    .action((folder: string, { name }: { name?: string }) => imported(cli, folder, name));
  command.addCommand(mergeCommand(cli));
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

async function imported(cli: Cli, source: string, given: string | undefined): Promise<void> {
  const { folder } = await readAdapterFolder(source);
  const name = given ?? (await freeName(basename(folder)));
  checkName(name);
  if (!isFile(join(folder, WEIGHTS))) {
    throw new LadError("not-found", `folder is ${folder}: ${WEIGHTS} is missing.`, {
      option: "folder",
      value: folder,
      remedy: "Give an adapter's folder, as PEFT writes it with safe_serialization=True.",
    });
  }
  await copied(folder, libraryFolder(name), "Give another --name.");
  print(cli, name);
  note(cli, "It is now the last saved, which answers where no --adapter is given.");
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

/** What an adapter's folder has; nothing else is copied. */
const WEIGHTS = "adapter_model.safetensors";
const FILES = ["adapter_config.json", WEIGHTS, "lad.json", "README.md"];

/** Copies an adapter to a folder that is not there yet, whole or not at all. */
async function copied(folder: string, target: string, remedy: string): Promise<void> {
  if (existsSync(target)) {
    const text = `folder is ${target}: it is there already.`;
    throw new LadError("already-exists", text, { option: "folder", value: target, remedy });
  }
  const fresh = `${resolve(target)}.new-${randomBytes(4).toString("hex")}`;
  try {
    makeFolder(fresh);
    for (const name of FILES) {
      const file = join(folder, name);
      if (isFile(file)) await copyFile(file, join(fresh, name));
    }
    await rename(fresh, target);
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {}); // the first error is the one to tell
    const { code } = cause as NodeJS.ErrnoException;
    const text = `folder is ${target}: it could not be written (${code}).`;
    throw new LadError("storage", text, { option: "folder", value: target, remedy, cause });
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
