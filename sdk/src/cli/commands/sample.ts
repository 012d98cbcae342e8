import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { type Answer, type CanvasStart, LadError, type SampleOptions } from "../../index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { type Asked, type ModelFlags, withModel, withModelFlags } from "../support/model.js";
import {
  answered,
  answerPieces,
  checkSampling,
  type SamplingFlags,
  samplingOptions,
  withSamplingFlags,
} from "../support/sampling.js";
import { decimal } from "../support/values.js";
import { type WorkerFlags, withWorkerFlags } from "../support/worker.js";

interface Flags extends WorkerFlags, ModelFlags, SamplingFlags {
  readonly system?: string;
  readonly draft?: string;
  readonly strength?: number;
  readonly answer?: CanvasStart["answer"];
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  printf 'Name the capitals.\\nPeru Chile' | lad sample     the adapter that was trained last answers
  lad sample "…" --policy threshold:iterations=16 --json
  lad sample "…" --answer "The [6] is [..4]."           fills six tokens, and up to four
  lad sample "…" --draft "A first version." --strength 0.3
  lad sample "…" --adapter none                         the base, token after token

With --json each iteration is a line, and the answer the last one.`;

/** `lad sample` */
export function sampleCommand(cli: Cli): Command {
  const command = new Command("sample")
    .argument("[prompt]", "the question; - or none: standard input")
    .option("--system <text>", "a system message before it")
    .option("--draft <text>", "a first version of the answer, all of which may change")
    .option("--strength <x>", "where a schedule begins on a draft: 0 its end, 1 its beginning", decimal)
    .option(
      "--answer <pieces>",
      "text that stays, with [6] or [..6] tokens to fill and {text that may change}",
      answerPieces,
    )
    .option("--json", "iterations and answer as lines of JSON");
  return withWorkerFlags(withModelFlags(withSamplingFlags(command)))
    .addHelpText("after", EXAMPLES)
    .action(async (prompt: string | undefined, flags: Flags) => {
      const start = startOf(await promptOf(cli, prompt), flags);
      const act = async (asked: Asked) => {
        const options = { ...samplingOptions(flags, asked), ...start };
        if (flags.json) await tellFrames(cli, asked, options);
        else tell(cli, await answered(cli, asked, options));
      };
      await withModel(cli, flags, act, (chosen) => checkSampling(flags, chosen, start));
    });
}

async function promptOf(cli: Cli, given: string | undefined): Promise<string> {
  if (given !== undefined && given !== "-") return filled(given);
  if (given === undefined && cli.stdin.isTTY) {
    throw new LadError("invalid-option", "There is no prompt.", {
      option: "prompt",
      remedy: 'Give one: lad sample "…", or a pipe: … | lad sample.',
    });
  }
  return filled((await readAll(cli.stdin)).replace(/\n$/, ""));
}

/** @throws LadError `invalid-option` for a prompt without a letter */
function filled(prompt: string): string {
  if (prompt.trim() !== "") return prompt;
  throw new LadError("invalid-option", "The prompt is empty.", {
    option: "prompt",
    remedy: 'Give one: lad sample "…", or a pipe: … | lad sample.',
  });
}

function startOf(question: string, { system, draft, strength, answer, seed }: Flags): CanvasStart {
  const user = { role: "user", content: question } as const;
  const messages = system === undefined ? [user] : [{ role: "system", content: system } as const, user];
  return { messages, draft, strength, answer, seed };
}

async function tellFrames(cli: Cli, { model, base }: Asked, options: SampleOptions): Promise<void> {
  const run = model.sample({ ...options, signal: cli.leaving.signal });
  for await (const { state: _, ...frame } of run) {
    const pieces = await base.pieces(frame.answer);
    printJson(cli, { ...frame, pieces });
  }
  printJson(cli, await run.result());
}

function tell(cli: Cli, { text, stopped }: Answer): void {
  print(cli, text);
  if (stopped === "length")
    note(cli, "The answer fills its canvas and is cut: --answer-tokens gives it more.");
}
