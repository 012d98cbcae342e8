#!/usr/bin/env node
/** The command `lad`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { LadError } from "../errors.js";
import { parseGroups } from "../setup/groups.js";
import { locateRuntime } from "../setup/locate.js";
import { setUp } from "../setup/set-up.js";

const program = new Command("lad")
  .description("LoRA-Adapted Diffusion: the command line beside the SDK.")
  .version(version());

program
  .command("setup")
  .description("Makes the worker's Python environment: PyTorch, gRPC and what they need.")
  .option(
    "--with <groups>",
    "more packages than a worker needs: data, smollm2, lm-eval, tensorboard, dev (commas between them)",
    "",
  )
  .action(async (options: { with: string }) => {
    await setUp({ groups: parseGroups(options.with), log: (line) => console.error(`lad: ${line}`) });
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof LadError)) throw error;
  console.error(`lad: ${error.message}`);
  process.exitCode = 1;
}

function version(): string {
  const { packageFolder } = locateRuntime();
  return (JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string })
    .version;
}
