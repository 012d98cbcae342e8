import { createInterface, type Interface } from "node:readline";
import { PassThrough } from "node:stream";
import { Command, InvalidArgumentError } from "commander";
import { isLadError } from "../../index.js";
import { type Cli, note, print } from "../cli.js";
import { type ChatFlags, Conversation, SLASH_COMMANDS } from "../support/conversation.js";
import { askedModel, isShipped, type ModelFlags, withModelFlags } from "../support/model.js";
import { withSamplingFlags } from "../support/sampling.js";
import { type WorkerFlags, withWorker, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags, ModelFlags, ChatFlags {}

/** `lad chat` */
export function chatCommand(cli: Cli): Command {
  const command = new Command("chat")
    .option("--system <text>", "a system message before the chat")
    .option(
      "--history",
      "ask with what was said before (default: but for the small bases, which know single questions)",
    )
    .option("--no-history", "ask each question alone");
  const slash = SLASH_COMMANDS.map(({ usage, about }) => `  ${usage.padEnd(24)} ${about}`).join("\n");
  return withWorkerFlags(withModelFlags(withSamplingFlags(command)))
    .addHelpText(
      "after",
      `\nIn the chat:\n${slash}\n\nExamples:\n  lad chat\n  lad chat --base smollm2-135m --adapter none\n\nA line that ends with \\ goes on in the next one. Ctrl-C stops an answer, and leaves where there is none.`,
    )
    .action((flags: Flags) =>
      withWorker(cli, flags, async ({ runtime }) => {
        const asked = await askedModel(cli, runtime, flags);
        const conversation = new Conversation(cli, runtime, asked, flags);
        const who = asked.adapter ? `${asked.name} on ${asked.base.name}` : asked.name;
        const example = isShipped(asked.base.name) ? "/example asks something that it knows, " : "";
        note(cli, `${who}. ${example}/help tells what else there is, /quit leaves.`);
        try {
          await talk(cli, conversation);
        } finally {
          await conversation.close();
        }
      }),
    );
}

/** Reads lines and answers each, until the end of the input or `/quit`. A line that ends with a backslash goes on in the next one. */
async function talk(cli: Cli, conversation: Conversation): Promise<void> {
  const lines = linesOf(cli);
  const { signal } = cli.leaving;
  const close = () => lines.close();
  signal.addEventListener("abort", close);
  lines.on("SIGINT", () => (conversation.isAnswering ? conversation.stop() : lines.close())); // a terminal's, in its raw mode
  lines.prompt();
  let begun = "";
  try {
    for await (const line of lines) {
      if (line.endsWith("\\")) {
        begun += `${line.slice(0, -1)}\n`;
        continue;
      }
      const goesOn = await said(cli, conversation, begun + line);
      if (!goesOn || signal.aborted) break;
      begun = "";
      lines.prompt();
    }
    if (begun !== "" && !signal.aborted) await said(cli, conversation, begun.trimEnd()); // the input ended there
  } finally {
    signal.removeEventListener("abort", close);
    lines.close();
  }
}

function linesOf(cli: Cli): Interface {
  const isWatched = cli.stdin.isTTY === true && cli.stderr.isTTY === true;
  const output = isWatched ? (cli.stderr as NodeJS.WritableStream) : new PassThrough().resume(); // a pipe has no prompt
  return createInterface({ input: cli.stdin, output, terminal: isWatched, prompt: "> " });
}

/** Answers a line, or does what it asks; false if it asks to leave. A mistake in it is told, and the chat goes on. */
async function said(cli: Cli, conversation: Conversation, line: string): Promise<boolean> {
  try {
    if (line.trim() === "/quit" || line.trim() === "/exit") return false;
    const answer = await conversation.say(line);
    if (answer !== undefined) print(cli, answer);
  } catch (error) {
    const mayGoOn = isLadError(error) || error instanceof InvalidArgumentError;
    if (!mayGoOn || isLadError(error, "worker-died") || isLadError(error, "unavailable")) throw error;
    note(cli, (error as Error).message);
  }
  return true;
}
