import { cp, rm } from "node:fs/promises";
import { Command } from "commander";
import { LadError, readAdapterFolder } from "../../index.js";
import { type Column, renderTable } from "../../report/index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { findAdapter, freeName, library, libraryFolder, type NamedAdapter } from "../support/library.js";

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
    "\nExamples:\n  lad adapters list\n  lad adapters export capitals ./capitals   PEFT's format, with a card\n  lad adapters import ./downloaded --name theirs",
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
  command
    .command("drop <names...>")
    .description("delete adapters from LAD_HOME")
    .action((names: string[]) => dropped(cli, names));
  return command;
}

async function list(cli: Cli, json: boolean): Promise<void> {
  const adapters = await library();
  if (json) for (const adapter of adapters) printJson(cli, adapter);
  else if (adapters.length > 0) print(cli, renderTable(COLUMNS, adapters));
  else note(cli, "There are no adapters yet: `lad train` makes one.");
}

async function exported(cli: Cli, name: string, target: string): Promise<void> {
  const { folder } = await findAdapter(name);
  await copied(folder, target);
  note(cli, `${name} is in ${target}.`);
}

async function imported(cli: Cli, source: string, given: string | undefined): Promise<void> {
  const { folder } = await readAdapterFolder(source);
  const name = given ?? (await freeName(folder.split(/[/\\]/).at(-1) ?? "imported"));
  checkName(name);
  await copied(folder, libraryFolder(name));
  print(cli, name);
}

async function dropped(cli: Cli, names: readonly string[]): Promise<void> {
  const found = await Promise.all(names.map(findAdapter)); // before any is deleted
  for (const { name, folder } of found) {
    if (folder !== libraryFolder(name)) {
      throw new LadError("invalid-option", `${name} is not in LAD_HOME.`, {
        remedy: "Delete the folder yourself.",
      });
    }
  }
  for (const { name, folder } of found) {
    await rm(folder, { recursive: true });
    note(cli, `${name} is deleted.`);
  }
}

async function copied(folder: string, target: string): Promise<void> {
  try {
    await cp(folder, target, { recursive: true, errorOnExist: true, force: false });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    const isThere = code === "ERR_FS_CP_EEXIST";
    throw new LadError(
      isThere ? "already-exists" : "storage",
      `folder is ${target}: ${isThere ? "it is there already" : `it could not be written (${code})`}.`,
      { option: "folder", value: target, remedy: "Give another folder, or another --name.", cause },
    );
  }
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return;
  throw new LadError("invalid-option", `--name is ${name}: it is no adapter's name.`, {
    option: "--name",
    value: name,
    remedy: "Give 1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit.",
  });
}
