import { createInterface, type Interface } from "node:readline";
import { PassThrough } from "node:stream";
import { Command, InvalidArgumentError } from "commander";
import { isLadError } from "../../index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { type ChatFlags, Conversation, type Turn } from "../support/conversation.js";
import { isShipped, type ModelFlags, withModel, withModelFlags } from "../support/model.js";
import { checkSampling, withSamplingFlags } from "../support/sampling.js";
import { SLASH_COMMANDS } from "../support/slash-commands.js";
import { type WorkerFlags, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags, ModelFlags, ChatFlags {
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  lad chat
  lad chat --base smollm2-135m --adapter none
  lad chat --json < questions.txt     each line a question

A line that ends with \\ goes on in the next one. Ctrl-C stops an answer, and leaves where there is none.`;

/** `lad chat` */
export function chatCommand(cli: Cli): Command {
  const command = new Command("chat")
    .option("--system <text>", "a system message before the chat")
    .option(
      "--history",
      "ask with what was said before (default: but for the small bases, which know single questions)",
    )
    .option("--no-history", "ask each question alone")
    .option("--json", "one line of JSON for each question, with its answer and how it was sampled");
  const slash = SLASH_COMMANDS.map(({ usage, about }) => `  ${usage.padEnd(24)} ${about}`).join("\n");
  return withWorkerFlags(withModelFlags(withSamplingFlags(command)))
    .addHelpText("after", `\nIn the chat:\n${slash}\n${EXAMPLES}`)
    .action((flags: Flags) => chat(cli, flags));
}

async function chat(cli: Cli, flags: Flags): Promise<void> {
  const begun = async (...[asked, runtime]: Parameters<Parameters<typeof withModel>[2]>) => {
    const conversation = new Conversation(cli, runtime, asked, flags);
    const who = asked.adapter ? `${asked.name} on ${asked.base.name}. ` : `${asked.name}. `;
    const example = isShipped(asked.base.name) ? "/example asks something that it knows, " : "";
    note(cli, `${asked.isDefault ? "" : who}${example}/help tells what else there is, /quit leaves.`);
    try {
      await talk(cli, conversation, flags.json === true);
    } finally {
      await conversation.close();
    }
  };
  await withModel(cli, flags, begun, (chosen) => checkSampling(flags, chosen));
}

/** Reads lines and answers each, until the end of the input or `/quit`. A line that ends with a backslash goes on in the next one. */
async function talk(cli: Cli, conversation: Conversation, json: boolean): Promise<void> {
  const lines = linesOf(cli);
  const { signal } = cli.leaving;
  const close = () => lines.close();
  signal.addEventListener("abort", close);
  lines.on("SIGINT", () => (conversation.isAnswering ? conversation.stop() : cli.leaving.ask())); // a terminal's, in its raw mode
  lines.prompt();
  let begun = "";
  try {
    for await (const line of lines) {
      if (line.endsWith("\\")) {
        begun += `${line.slice(0, -1)}\n`;
        continue;
      }
      const goesOn = await said(cli, conversation, begun + line, json);
      if (!goesOn || signal.aborted) break;
      begun = "";
      lines.prompt();
    }
    if (begun !== "" && !signal.aborted) await said(cli, conversation, begun.trimEnd(), json); // the input ended there
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
async function said(cli: Cli, conversation: Conversation, line: string, json: boolean): Promise<boolean> {
  try {
    if (line.trim() === "/quit" || line.trim() === "/exit") return false;
    const turn = await conversation.say(line);
    if (turn !== undefined) tell(cli, turn, json);
  } catch (error) {
    const mayGoOn = isLadError(error) || error instanceof InvalidArgumentError;
    if (!mayGoOn || isLadError(error, "worker-died") || isLadError(error, "unavailable")) throw error;
    if (json)
      printJson(cli, { question: line, error: isLadError(error) ? error : { message: error.message } });
    else note(cli, error.message);
  }
  return true;
}

function tell(cli: Cli, turn: Turn, json: boolean): void {
  if (!json) {
    print(cli, turn.answer.text);
    return;
  }
  const { answer, ...settings } = turn;
  const { text, ids, iterations, stopped } = answer;
  printJson(cli, { ...settings, answer: text, tokens: ids.length, iterations, stopped });
}
