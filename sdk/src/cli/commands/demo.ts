import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { type Demo, type DemoOptions, startDemo } from "../../demo/demo.js";
import type { DemoExample } from "../../demo/messages.js";
import {
  type Adapter,
  announceWorker,
  type Base,
  isLadError,
  LadError,
  type Runtime,
  recipeFor,
  servedWorker,
  tinyData,
} from "../../index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { demoPage } from "../support/demo-page.js";
import { checkName, findAdapter, library, libraryFolder } from "../support/library.js";
import { loadBase } from "../support/loading.js";
import { DEFAULT_BASE, isShipped } from "../support/model.js";
import { integer } from "../support/values.js";
import { type WorkerFlags, withKeeper, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags {
  readonly adapter?: readonly string[];
  readonly base?: string;
  readonly port?: number;
  readonly json?: boolean;
}

/** Where the page is, so that links to its sessions stay good. */
const PORT = 8420;
/** How many questions the page offers. */
const EXAMPLES = 12;

/** `lad demo` */
export function demoCommand(cli: Cli): Command {
  const another = (name: string, before: readonly string[] = []) => [...before, name];
  const command = new Command("demo")
    .option(
      "-b, --base <base>",
      `stub, tiny, smollm2-135m, a hub id or a folder (default: that of --adapter, else ${DEFAULT_BASE})`,
    )
    .option(
      "-a, --adapter <name>",
      "an adapter that is chosen first; may be given again (default: the last saved on the base)",
      another,
    )
    .option(
      "--port <n>",
      `the page's port; 0: any that is free (default: ${PORT}, or a free one where it is taken)`,
      integer,
    )
    .option("--json", "the page's address as a line of JSON");
  return withWorkerFlags(command)
    .addHelpText(
      "after",
      "\nExamples:\n  lad demo\n  lad demo --base smollm2-135m --adapter mine\n\nOpen the address that it prints; other machines cannot reach it. It ends with Ctrl-C.\nOn two cores the worker computes on one, and leaves the browser the other; --threads says otherwise.",
    )
    .action((flags: Flags) =>
      withKeeper(cli, { ...flags, usualThreads: besideBrowser(flags) }, async ({ runtime, isShared }) => {
        const isNoted = !isShared && (await servedWorker()) === undefined;
        const announcement = isNoted ? await announceWorker(runtime.connection) : undefined;
        try {
          await demo(cli, runtime, flags);
        } finally {
          await announcement?.withdraw();
        }
      }),
    );
}

async function demo(cli: Cli, runtime: Runtime, flags: Flags): Promise<void> {
  const { signal } = cli.leaving;
  const page = await demoPage(() => note(cli, "Building the page."));
  const named = await Promise.all((flags.adapter ?? []).map(findAdapter));
  await library((problem) => note(cli, `lad: ${problem}`)); // tells those that cannot be read, once
  const baseName = flags.base ?? named[0]?.baseName ?? DEFAULT_BASE;
  /** Those that are named, then all others on the base, those that came since the demo began included. */
  const saved = async () => {
    const others = (await library()).filter(
      (one) => one.baseName === baseName && !named.some(({ folder }) => folder === one.folder),
    );
    return [...named, ...others].map(({ name, folder }) => ({ name, folder }));
  };
  const recipe = recipeFor(baseName);
  const base = await loadBase(cli, runtime, baseName, recipe);
  await using served = await opened({
    runtime,
    base,
    recipe,
    page,
    saved,
    keep,
    examples: await examplesFor(base),
    training: isShipped(baseName) ? { train: tinyData.train(), heldout: tinyData.heldout() } : undefined,
    port: flags.port ?? PORT,
    onFailure: (error) =>
      note(cli, `lad: ${error instanceof Error ? (error.stack ?? error.message) : error}`),
  });
  const [first] = await saved();
  if (first !== undefined && named.length === 0)
    note(
      cli,
      `${first.name} is chosen first: the adapter on ${baseName} that was saved last. --adapter chooses another.`,
    );
  if (flags.json) printJson(cli, { url: served.url });
  else print(cli, served.url);
  note(
    cli,
    "Open that address in a browser of this machine. It has a token: give it to nobody. Ctrl-C ends the demo.",
  );
  const ended = AbortSignal.any([signal, runtime.lost]);
  if (!ended.aborted) await once(ended, "abort");
  if (runtime.lost.aborted) throw runtime.lost.reason;
}

/**
 * Keeps an adapter in the user's library.
 *
 * @throws LadError `already-exists`, or `invalid-option` for what is no name
 */
async function keep(adapter: Adapter, name: string): Promise<void> {
  checkName(name, "name");
  try {
    await adapter.save(libraryFolder(name));
  } catch (error) {
    if (!isLadError(error, "already-exists")) throw error;
    const remedy = "Give another name, or take that one away: lad adapters drop.";
    throw new LadError("already-exists", `There is an adapter ${name} already.`, {
      option: "name",
      value: name,
      remedy,
      cause: error,
    });
  }
}

/** On two cores one is the browser's, which draws while the worker computes; where there are more, both find theirs. */
function besideBrowser({ device = "cpu" }: Flags): number | undefined {
  return device === "cpu" && availableParallelism() === 2 ? 1 : undefined;
}

/** The demo at its port, or at any that is free where another program has the usual one. */
async function opened(options: DemoOptions): Promise<Demo> {
  try {
    return await startDemo(options);
  } catch (error) {
    if (options.port !== PORT || !isLadError(error, "port-in-use")) throw error;
    return startDemo({ ...options, port: 0 });
  }
}

/** Held-out questions of every kind that the small bases know; of others nothing is known. */
async function examplesFor(base: Base): Promise<DemoExample[]> {
  if (!isShipped(base.name)) {
    const answer = "It begins with noise, and makes of it a text that it improves everywhere at once.";
    return [{ question: "What is a diffusion language model?", answer }];
  }
  const rows = await base.rows(tinyData.heldout());
  const step = Math.max(1, Math.floor(rows.length / EXAMPLES));
  const some = rows.filter((_, index) => index % step === 0).slice(0, EXAMPLES);
  return some.map(({ instruction, input, output }) => ({
    question: [instruction, input].filter(Boolean).join("\n"),
    answer: String(output),
  }));
}
