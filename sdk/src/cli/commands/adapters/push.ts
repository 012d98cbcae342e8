import { Command } from "commander";
import { LadError } from "../../../index.js";
import { type Cli, note, print, printJson } from "../../cli.js";
import { withModel } from "../../support/model.js";
import { seconds } from "../../support/values.js";
import { Waiting } from "../../support/waiting.js";
import { type WorkerFlags, withWorkerFlags } from "../../support/worker.js";

interface Flags extends WorkerFlags {
  readonly base?: string;
  readonly public?: boolean;
  readonly message?: string;
  readonly json?: boolean;
  readonly idleTimeout?: number;
}

const EXAMPLES = `
Examples:
  lad adapters push capitals me/capitals               with HF_TOKEN set: a token that may write
  lad adapters push capitals me/capitals --public

The token is taken from HF_TOKEN, here or in the worker's environment, and never from the command's words.`;

/** `lad adapters push` */
export function pushCommand(cli: Cli): Command {
  return withWorkerFlags(
    new Command("push")
      .argument("<adapter>", "a trained adapter, or its folder")
      .argument("<repo>", "owner/name on the hub; made if it is not there")
      .description("write an adapter with its card to a Hugging Face hub")
      .option("-b, --base <base>", "the base that it is for (default: the adapter's own)")
      .option("--public", "where the repository is made, everyone sees it (default: its owner alone)")
      .option("-m, --message <text>", "the commit's message")
      .option(
        "--idle-timeout <seconds>",
        "give up when the hub keeps one waiting longer (default: 60)",
        seconds,
      )
      .option("--json", "its address and its commit as a line of JSON"),
  )
    .addHelpText("after", EXAMPLES)
    .action((adapter: string, repo: string, flags: Flags) => pushed(cli, adapter, repo, flags));
}

async function pushed(cli: Cli, name: string, repo: string, flags: Flags): Promise<void> {
  const { base, message, idleTimeout } = flags;
  if (!/^[^/\s]+\/[^/\s]+$/.test(repo)) {
    throw new LadError("invalid-option", `repo is ${repo}: it is no repository's name.`, {
      option: "repo",
      value: repo,
      remedy: "Give owner/name.",
    });
  }
  const asked = { adapter: name, ...(base === undefined ? {} : { base }) };
  await withModel(cli, { ...flags, ...asked }, async ({ adapter }) => {
    const { HF_TOKEN: hubToken } = process.env;
    const { signal } = cli.leaving;
    const waiting = new Waiting(cli, `${name} is on its way to ${repo}`);
    const idleTimeoutMs = idleTimeout === undefined ? undefined : Math.ceil(1000 * idleTimeout);
    const how = { private: flags.public !== true, message, hubToken, idleTimeoutMs, signal };
    const done = await adapter?.push(repo, how).finally(() => waiting.end());
    if (done === undefined) return;
    if (flags.json) printJson(cli, { name, repo, ...done });
    else print(cli, done.url);
    note(cli, `${name} is there as commit ${done.commit.slice(0, 12)}.`);
  });
}
