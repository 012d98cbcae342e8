import { Command } from "commander";
import { Runtime, type RuntimeOptions, readExperiment } from "../../index.js";
import { type Cli, note, printJson } from "../cli.js";
import { followExperiment } from "../support/experiment.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags {
  readonly json?: boolean;
  readonly check?: boolean;
}

/** `lad run` */
export function runCommand(cli: Cli): Command {
  return withWorkerFlags(
    new Command("run")
      .argument("<experiment>", "a YAML file: every key is an option of the SDK")
      .option("--check", "read and check the file, and run nothing")
      .option("--json", "one line of JSON for each point of the sweep; with --check, the experiment"),
  )
    .addHelpText(
      "after",
      "\nExample:\n  lad run examples/experiment.yaml\n\nWith sweep.manifest in the file, points that are done are kept: after a Ctrl-C the same command goes on.",
    )
    .action((path: string, flags: Flags) => run(cli, path, flags));
}

async function run(cli: Cli, path: string, flags: Flags): Promise<void> {
  const experiment = await readExperiment(path);
  if (flags.check) {
    if (flags.json) printJson(cli, experiment);
    note(cli, `${path} is an experiment.`);
    return;
  }
  const follow = (runtime: Runtime) =>
    followExperiment(cli, runtime, experiment, { json: flags.json === true });
  const isOwn = experiment.runtime !== undefined && !flags.worker && !flags.device && !process.env.LAD_WORKER;
  if (!isOwn) return withWorker(cli, flags, ({ runtime }) => follow(runtime));
  const options = { ...experiment.runtime, signal: cli.leaving.signal } as RuntimeOptions;
  await using runtime = await Runtime.start(options);
  await follow(runtime);
}
