import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Command } from "commander";
import { copyAdapterFolder, LadError, readAdapterFolder, recipeFor } from "../../../index.js";
import { type Cli, note, print, printJson } from "../../cli.js";
import { checkName, freeName, libraryFolder } from "../../support/library.js";
import { loadBase } from "../../support/loading.js";
import { dropQuietly } from "../../support/model.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../../support/worker.js";

interface Flags extends WorkerFlags {
  readonly name?: string;
  readonly base?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  lad adapters import ./downloaded --name theirs
  lad adapters import model_8B_LAD.pth --base meta-llama/Llama-3.1-8B-Instruct

Of a file of torch.save the LoRA factors are read, by a worker that has the base; nothing in it runs.`;

/** `lad adapters import` */
export function importCommand(cli: Cli): Command {
  return withWorkerFlags(
    new Command("import")
      .argument("<path>", "an adapter's folder as PEFT writes it, or a file of torch.save (.pth)")
      .description("copy an adapter of PEFT, or of a .pth file, into LAD_HOME")
      .option("-n, --name <name>", "what it is called (default: the folder's or file's name)")
      .option("-b, --base <base>", "of a .pth file: the base that it was trained on")
      .option("--json", "its name and folder as a line of JSON"),
  )
    .addHelpText("after", EXAMPLES)
    .action((path: string, flags: Flags) => imported(cli, path, flags));
}

async function imported(cli: Cli, path: string, flags: Flags): Promise<void> {
  const name = isFile(path) ? await converted(cli, path, flags) : await taken(path, flags);
  if (flags.json) printJson(cli, { name, folder: libraryFolder(name) });
  else print(cli, name);
  note(cli, "`lad adapters list` has the adapters; the last saved answers where no --adapter is given.");
}

async function taken(source: string, { name: given }: Flags): Promise<string> {
  const { folder } = await readAdapterFolder(source);
  const name = given ?? (await freeName(basename(folder)));
  checkName(name);
  await copyAdapterFolder(folder, libraryFolder(name));
  return name;
}

async function converted(cli: Cli, path: string, flags: Flags): Promise<string> {
  const { base: baseName } = flags;
  if (baseName === undefined) {
    throw new LadError("invalid-option", `${path} does not say which base it is for.`, {
      option: "--base",
      remedy: "Give --base.",
    });
  }
  const name = flags.name ?? (await freeName(basename(path).replace(/\.\w+$/, "")));
  checkName(name);
  await withWorker(cli, flags, async ({ runtime }) => {
    const { signal } = cli.leaving;
    const base = await loadBase(cli, runtime, baseName, recipeFor(baseName));
    const adapter = await base.loadAdapter(resolve(path), { signal });
    try {
      await adapter.save(libraryFolder(name), { signal });
    } finally {
      await dropQuietly(adapter);
    }
  });
  return name;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
