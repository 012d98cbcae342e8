import { once } from "node:events";
import { Command } from "commander";
import type { Endpoint } from "../../endpoint/index.js";
import { announceWorker, requireNoneServed } from "../../index.js";
import { type Cli, note, printJson } from "../cli.js";
import {
  checkEndpointFlags,
  type EndpointFlags,
  serveEndpoint,
  withEndpointFlags,
} from "../support/endpoint.js";
import { integer } from "../support/values.js";
import { device, deviceText, startWorker, type WorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags, EndpointFlags {
  readonly resumeRuns?: boolean;
  readonly json?: boolean;
}

/** `lad serve` */
export function serveCommand(cli: Cli): Command {
  const command = new Command("serve")
    .option("--device <device>", "cpu, cuda, container-cpu or container-cuda", device, "cpu")
    .option("--threads <n>", "CPU threads", integer)
    .option("--resume-runs", "resume the training runs that the end of the last worker has interrupted")
    .option("--json", "where it listens, with its token, as a line of JSON");
  return withEndpointFlags(command)
    .addHelpText(
      "after",
      "\nExamples:\n  lad serve &                     other commands now begin at once, and share the base\n  lad serve --device cuda --resume-runs\n  lad serve --openai --alias gpt-4o-mini=tiny:capitals\n\nIt ends with Ctrl-C; runs that are under way are written as checkpoints. Programs reach it with\nRuntime.start((await servedWorker())?.connection).",
    )
    .action((flags: Flags) => serve(cli, flags));
}

async function serve(cli: Cli, flags: Flags): Promise<void> {
  const { signal } = cli.leaving;
  const onWarning = (message: string) => note(cli, `lad: ${message}`);
  checkEndpointFlags(flags);
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
    await using endpoint = await serveEndpoint(cli, runtime, flags);
    if (flags.json) {
      printJson(cli, {
        ...runtime.connection,
        ...(endpoint && { endpoint: { url: endpoint.url, token: endpoint.token } }),
      });
    } else {
      const where = deviceText(await runtime.info());
      note(cli, `A worker on ${where} serves this user's commands. Ctrl-C ends it.`);
      if (endpoint !== undefined) note(cli, endpointText(endpoint));
    }
    const ended = AbortSignal.any([signal, runtime.lost]);
    if (!ended.aborted) await once(ended, "abort");
    if (runtime.lost.aborted) throw runtime.lost.reason;
  } finally {
    await announcement.withdraw();
  }
}

/** What to set for clients, for a shell. */
function endpointText({ url, token }: Endpoint): string {
  return [
    "Clients of OpenAI and Anthropic reach it with:",
    `  export OPENAI_BASE_URL=${url} OPENAI_API_KEY=${token}`,
    `  export ANTHROPIC_BASE_URL=${url.replace(/\/v1$/, "")} ANTHROPIC_API_KEY=${token}`,
  ].join("\n");
}
