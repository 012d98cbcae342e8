import { once } from "node:events";
import { Command } from "commander";
import { startDemo } from "../../demo/demo.js";
import type { DemoExample } from "../../demo/messages.js";
import { type Base, type Runtime, recipeFor, tinyData } from "../../index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { demoPage } from "../support/demo-page.js";
import { findAdapter, library } from "../support/library.js";
import { DEFAULT_BASE, isShipped, loadBase } from "../support/model.js";
import { integer } from "../support/values.js";
import { type WorkerFlags, withKeeper, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags {
  readonly adapter: readonly string[];
  readonly base?: string;
  readonly port?: number;
  readonly json?: boolean;
}

/** How many questions the page offers. */
const EXAMPLES = 12;

/** `lad demo` */
export function demoCommand(cli: Cli): Command {
  const another = (name: string, before: readonly string[]) => [...before, name];
  const command = new Command("demo")
    .option(
      "-b, --base <base>",
      "stub, tiny, smollm2-135m, a hub id or a folder (default: the adapter's own, or tiny)",
    )
    .option(
      "-a, --adapter <name>",
      "an adapter that is chosen first; may be given again (default: the last saved)",
      another,
      [],
    )
    .option("--port <n>", "where the page is (default: any that is free)", integer)
    .option("--json", "the page's address as a line of JSON");
  return withWorkerFlags(command)
    .addHelpText(
      "after",
      "\nExamples:\n  lad demo\n  lad demo --base smollm2-135m --adapter mine\n\nOpen the address that it prints; other machines cannot reach it. It ends with Ctrl-C.",
    )
    .action((flags: Flags) => withKeeper(cli, flags, ({ runtime }) => demo(cli, runtime, flags)));
}

async function demo(cli: Cli, runtime: Runtime, flags: Flags): Promise<void> {
  const { signal } = cli.leaving;
  const page = await demoPage(() => note(cli, "Building the page."));
  const named = await Promise.all(flags.adapter.map(findAdapter));
  const all = await library((problem) => note(cli, `lad: ${problem}`));
  const baseName =
    flags.base ?? named[0]?.baseName ?? all.find((one) => one.baseName)?.baseName ?? DEFAULT_BASE;
  const others = all.filter(
    (one) => one.baseName === baseName && !named.some(({ folder }) => folder === one.folder),
  );
  const recipe = recipeFor(baseName);
  const base = await loadBase(cli, runtime, baseName, recipe);
  await using served = await startDemo({
    runtime,
    base,
    recipe,
    page,
    saved: [...named, ...others].map(({ name, folder }) => ({ name, folder })),
    examples: await examplesFor(base),
    training: isShipped(baseName) ? { train: tinyData.train(), heldout: tinyData.heldout() } : undefined,
    port: flags.port,
    onFailure: (error) =>
      note(cli, `lad: ${error instanceof Error ? (error.stack ?? error.message) : error}`),
  });
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
