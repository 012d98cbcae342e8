/** The flags of sampling, and an answer as it comes. */
import { type Command, InvalidArgumentError } from "commander";
import {
  type Answer,
  type AnswerPiece,
  type CanvasStart,
  checkSampleOptions,
  describePolicies,
  draftOf,
  gap,
  type Model,
  type PolicyInput,
  type SampleOptions,
  type SamplingLimit,
  type SamplingOptions,
} from "../../index.js";
import { drawDenoising, LiveBlock } from "../../report/index.js";
import type { Cli } from "../cli.js";
import type { Asked, Chosen } from "./model.js";
import { decimal, integer, kind, seconds, seed } from "./values.js";

/** How to sample, as flags say it. */
export interface SamplingFlags {
  readonly policy?: SamplingOptions["policy"];
  readonly iterations?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly answerTokens?: number;
  readonly seed?: bigint;
  readonly stop?: readonly string[];
  readonly timeout?: number;
}

/** What policies are called; each with its options. */
const POLICIES_HELP = `${describePolicies()
  .map(({ kind }) => kind)
  .join(", ")}, with :key=value,…`;

/** The policies by which a model can answer. */
export function policiesFor({ files }: Chosen): string {
  const fits = describePolicies().filter((each) =>
    files === undefined ? each.samplesBases : each.samplesAdapters,
  );
  return fits.map(({ kind }) => kind).join(", ");
}

/** Adds the flags that say how to sample, for `samplingOptions`. */
export function withSamplingFlags(command: Command): Command {
  return command
    .option("-p, --policy <policy>", POLICIES_HELP, kind)
    .option("-i, --iterations <n>", "the most iterations of the policy", integer)
    .option("-t, --temperature <x>", "divides the logits; 0: the most probable token", decimal)
    .option("--top-k <n>", "draw from so many tokens alone", integer)
    .option("--top-p <x>", "draw from the most probable tokens that have this probability", decimal)
    .option("--answer-tokens <n>", "length of the answer in tokens", integer)
    .option("--seed <n>", "of the draws", seed)
    .option("--stop <text>", "end an answer before this text; may be given again", another)
    .option("--timeout <seconds>", "give up an answer that takes longer", seconds);
}

/** The options of `sample` that the flags give; what they leave open is as the model's recipe has it. */
export function samplingOptions(
  flags: SamplingFlags,
  { denoises, recipe }: Chosen,
): SamplingOptions & SamplingLimit {
  const { temperature, topK, topP, answerTokens = recipe.answerTokens, iterations, stop, timeout } = flags;
  const policy: PolicyInput = flags.policy ?? (denoises ? { kind: "remask", ...recipe.remask } : "ar");
  return {
    policy: iterations === undefined ? policy : withIterations(policy, iterations),
    temperature,
    topK,
    topP,
    answerTokens,
    stop,
    timeoutMs: timeout === undefined ? undefined : Math.ceil(1000 * timeout),
  };
}

/**
 * Checks the flags for the model that is to answer, before a worker starts.
 *
 * @throws LadError `invalid-option`
 */
export function checkSampling(
  flags: SamplingFlags,
  chosen: Chosen,
  start: CanvasStart = { messages: "?" },
): void {
  checkSampleOptions(
    { ...samplingOptions(flags, chosen), ...start },
    { adapted: chosen.files !== undefined },
  );
}

function withIterations(policy: PolicyInput, iterations: number): PolicyInput {
  return { ...(typeof policy === "string" ? { kind: policy } : policy), iterations } as PolicyInput;
}

function another(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/**
 * What an answer is made of: `[6]` six tokens to fill, `[..6]` up to six, `{a draft}`; all else stays. `\[` is a bracket. The space before
 * what may change belongs to it, since tokens begin with their space.
 */
export function answerPieces(text: string): AnswerPiece[] {
  const parts = text.match(/\\[[\]{}\\]| ?\[[^[\]]*\]| ?\{[^{}]*\}|[^\\[{ ]+|[\s\S]/g) ?? [];
  const pieces: AnswerPiece[] = [];
  for (const part of parts) {
    const piece = pieceOf(part);
    const last = pieces.at(-1);
    if (typeof piece === "string" && typeof last === "string") pieces[pieces.length - 1] = last + piece;
    else pieces.push(piece);
  }
  return pieces;
}

function pieceOf(part: string): AnswerPiece {
  if (/^\\[[\]{}\\]$/.test(part)) return part.slice(1);
  const [, space = "", draft] = /^( ?)\{([^{}]+)\}$/.exec(part) ?? [];
  if (draft !== undefined) return draftOf(space + draft);
  const [, upTo, tokens] = /^ ?\[(\.\.)?(\d{1,7})\]$/.exec(part) ?? [];
  if (tokens !== undefined) return gap(upTo === undefined ? Number(tokens) : { upTo: Number(tokens) });
  if (/^ ?\{/.test(part)) throw new InvalidArgumentError("A { has no }: {text} may change. A brace is \\{.");
  if (!/^ ?\[/.test(part)) return part;
  throw new InvalidArgumentError(
    `${part.trim()} is no gap: [6] is six tokens, [..6] up to six. A bracket is \\[.`,
  );
}

/** Samples an answer, and draws how it forms where somebody watches. */
export async function answered(
  cli: Cli,
  { model, base, name }: { model: Model; base: Asked["base"]; name: string },
  options: SampleOptions,
  stop: AbortSignal = cli.leaving.signal,
): Promise<Answer> {
  const block = new LiveBlock({ output: cli.stderr });
  const signal = AbortSignal.any([stop, cli.leaving.signal]);
  const run = model.sample({ ...options, frames: block.isLive, signal });
  try {
    if (block.isLive) await drawDenoising(block, name, run, base);
    return await run.result();
  } finally {
    block.clear();
  }
}
