import { once } from "node:events";
import { Command } from "commander";
import { announceWorker, requireNoneServed } from "../../index.js";
import { type Cli, note, printJson } from "../cli.js";
import { integer } from "../support/values.js";
import { deviceText, startWorker, type WorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags {
  readonly resumeRuns?: boolean;
  readonly json?: boolean;
}

/** `lad serve` */
export function serveCommand(cli: Cli): Command {
  return new Command("serve")
    .option("--device <device>", "cpu, cuda, container-cpu or container-cuda", "cpu")
    .option("--threads <n>", "CPU threads", integer)
    .option("--resume-runs", "resume the training runs that the end of the last worker has interrupted")
    .option("--json", "where it listens, with its token, as a line of JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  lad serve &                     other commands now begin at once, and share the base\n  lad serve --device cuda --resume-runs\n\nIt ends with Ctrl-C; runs that are under way are written as checkpoints. Programs reach it with\nRuntime.start((await servedWorker())?.connection).",
    )
    .action((flags: Flags) => serve(cli, flags));
}

async function serve(cli: Cli, flags: Flags): Promise<void> {
  const { signal } = cli.leaving;
  const onWarning = (message: string) => note(cli, `lad: ${message}`);
  await requireNoneServed();
  await using runtime = await startWorker(
    { ...flags, keepsRuns: true },
    {
      onWarning,
      signal,
      resumeRuns: flags.resumeRuns === true,
    },
  );
  const announcement = await announceWorker(runtime.connection);
  try {
    if (flags.json) printJson(cli, runtime.connection);
    else
      note(
        cli,
        `A worker on ${deviceText(await runtime.info())} serves this user's commands. Ctrl-C ends it.`,
      );
    const ended = AbortSignal.any([signal, runtime.lost]);
    if (!ended.aborted) await once(ended, "abort");
    if (runtime.lost.aborted) throw runtime.lost.reason;
  } finally {
    await announcement.withdraw();
  }
}
