import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { LadError, readAdapterFolder, recipeFor } from "../../../index.js";
import { type Cli, note, print } from "../../cli.js";
import { copied, isFile, WEIGHTS } from "../../support/adapter-copies.js";
import { checkName, freeName, libraryFolder } from "../../support/library.js";
import { dropQuietly, loadBase } from "../../support/model.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../../support/worker.js";

interface Flags extends WorkerFlags {
  readonly name?: string;
  readonly base?: string;
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
      .option("-b, --base <base>", "of a .pth file: the base that it was trained on"),
  )
    .addHelpText("after", EXAMPLES)
    .action((path: string, flags: Flags) => imported(cli, path, flags));
}

async function imported(cli: Cli, path: string, flags: Flags): Promise<void> {
  const name = isFile(path) ? await converted(cli, path, flags) : await taken(path, flags);
  print(cli, name);
  note(cli, "It is now the last saved, which answers where no --adapter is given.");
}

async function taken(source: string, { name: given }: Flags): Promise<string> {
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
