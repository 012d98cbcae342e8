/** Answers a question, and tells what of the answers is final as soon as it is. */
import { invalidOption } from "../../errors.js";
import {
  type Answer,
  type CanvasStart,
  type Frame,
  finalityOf,
  finalTokens,
  type PolicyInput,
  refine,
  type SampleManyOptions,
  type SamplingRun,
  type StopReasonName,
} from "../../index.js";
import type { UsedModel } from "../models.js";
import { filled } from "../shape/filled.js";
import { policyOf } from "./extras.js";
import { GrowingText } from "./growing-text.js";
import { logprobsOf, requireLogprobs, type TokenLogprob } from "./logprobs.js";
import type { Question } from "./question.js";
import { answerBounds, type CanvasPrompt, canvasPrompts } from "./sizes.js";

/** An answer that is done, in words that every API translates. */
export interface Finished {
  readonly text: string;
  /** Why there is no text: what the model wrote does not fit the shape that was asked for. */
  readonly refusal: string | undefined;
  /** Without the one that ends it. */
  readonly tokens: number;
  /** Of all lengths of its gaps that were tried. */
  readonly forwards: number;
  readonly stopped: StopReasonName;
  /** The stop string that the text ends before. */
  readonly stop: string | undefined;
  /** Where they were asked for. */
  readonly logprobs: readonly TokenLogprob[] | undefined;
}

/** What happens to one of the answers; `choice` counts them, all answers to the first prompt first. */
export type AnswerEvent =
  | { readonly type: "delta"; readonly choice: number; readonly text: string }
  | { readonly type: "frame"; readonly choice: number; readonly frame: ShownFrame }
  | { readonly type: "finished"; readonly choice: number; readonly answer: Finished };

/** An iteration, as clients that ask for `frames` get it. */
export interface ShownFrame {
  readonly choice: number;
  /** From 0. */
  readonly iteration: number;
  readonly iterations: number;
  /** The text of every position, special tokens included. */
  readonly tokens: readonly string[];
  /** Positions that the next input masks. */
  readonly masked: readonly number[];
  /** How many of the first positions no later iteration changes. */
  readonly final: number;
  /** The lengths of the gaps in this trial, where the answer is given in pieces. */
  readonly gaps?: readonly number[] | undefined;
}

/** A question whose answers have begun. */
export interface Answering {
  readonly choices: number;
  /** Of all prompts. */
  readonly promptTokens: number;
  readonly policy: string;
  readonly seed: number;
  /** The base's revision. */
  readonly revision: string;
  /** To be read once, to its end or until it is left, which ends the sampling. */
  events(): AsyncGenerator<AnswerEvent, void, undefined>;
}

/**
 * Begins to answer: what is wrong with the question is thrown here, before anything has been sent.
 *
 * @throws LadError
 */
export async function beginAnswering(
  question: Question,
  used: UsedModel,
  signal: AbortSignal,
): Promise<Answering> {
  const { extras, n, shape, stop, stream } = question;
  const policy = policyOf(extras, ownPolicy(question, used));
  const kind = typeof policy === "string" ? policy : policy.kind;
  if (kind === "ar" && used.adapter !== undefined) {
    throw invalidOption(
      "policy",
      kind,
      "the base writes so, without an adapter",
      `Ask the model ${used.base.name}.`,
    );
  }
  if (question.logprobs) requireLogprobs(policy);
  if (shape !== undefined && stop !== undefined) throw besideShape("stop", stop);
  if (shape !== undefined && extras.pins !== undefined) throw besideShape("pins", "given");
  const prompts = await canvasPrompts(used.base, question, signal);
  const seed = question.seed ?? Math.floor(Math.random() * 2 ** 32);
  const pieces = shape?.pieces ?? extras.pins;
  const bounds = pieces === undefined ? await answerBounds(question, policy, prompts, used) : {};
  const temperature = question.temperature ?? 0;
  const sends = stream && shape === undefined && !question.logprobs && !hasLengths(pieces);
  const isFinalEarly = finalityOf(policy) !== "end" || pieces !== undefined || canvasByCanvas(used);
  const options: SampleManyOptions = {
    canvases: prompts.flatMap((prompt) =>
      Array.from(
        { length: n },
        (_, i): CanvasStart => ({
          ...prompt,
          seed: (BigInt(seed) + BigInt(i)) % 2n ** 64n,
          draft: extras.draft,
          strength: extras.strength,
          answer: pieces,
        }),
      ),
    ),
    policy,
    ...bounds,
    stop,
    signal,
    frames: stream && (extras.frames || (sends && isFinalEarly)),
    ...(temperature > 0 && { temperature, topP: question.topP, topK: extras.top_k }),
  };
  const run = used.model.sampleMany(options);
  const { promptTokens } = await run.begin();
  const telling = { question, used, policy, run, prompts, sends, signal };
  return {
    choices: prompts.length * n,
    promptTokens: promptTokens.reduce((sum, tokens, canvas) => sum + (canvas % n === 0 ? tokens : 0), 0),
    policy: kind,
    seed,
    revision: used.base.info.revision,
    events: () => told(telling),
  };
}

/** How a model answers where nobody says. Gaps are short: all their tokens are written at once, and then by each other (docs/guide/which-policy.md). */
function ownPolicy({ shape, extras }: Question, { adapter, base, recipe }: UsedModel): PolicyInput {
  if (adapter === undefined && !base.denoises) return "ar";
  const isInPieces = shape !== undefined || extras.pins !== undefined;
  return isInPieces ? refine({ iterations: 4 }) : { kind: "remask", ...recipe.remask };
}

interface Telling {
  readonly question: Question;
  readonly used: UsedModel;
  readonly policy: PolicyInput;
  readonly run: SamplingRun;
  readonly prompts: readonly CanvasPrompt[];
  /** Whether deltas are sent before an answer is done. */
  readonly sends: boolean;
  readonly signal: AbortSignal;
}

async function* told(telling: Telling): AsyncGenerator<AnswerEvent, void, undefined> {
  const { question, policy, run, sends } = telling;
  const { stop, extras } = question;
  const texts = new Map<number, GrowingText>();
  const growing = (choice: number) => {
    const text = texts.get(choice) ?? new GrowingText(stop);
    texts.set(choice, text);
    return text;
  };
  const hasBest = hasLengths(question.shape?.pieces ?? extras.pins);
  const forwards = new Map<number, number>();
  for await (const event of run) {
    if (event.type === "frame") {
      const choice = event.canvas;
      const final = finalTokens(event, policy);
      if (extras.frames && question.stream) {
        yield { type: "frame", choice, frame: await shown(event, final, telling) };
      }
      const text = sends && final > 0 ? growing(choice).more(await finalText(event, final, telling)) : "";
      if (text !== "") yield { type: "delta", choice, text };
    }
    if (event.type !== "answer") continue;
    forwards.set(event.canvas, (forwards.get(event.canvas) ?? 0) + event.iterations);
    if (!hasBest) yield* finish(event, event.iterations, growing(event.canvas), telling);
  }
  const answers = await run.result();
  if (!hasBest) return;
  for (const answer of answers) {
    yield* finish(answer, forwards.get(answer.canvas) ?? 0, growing(answer.canvas), telling);
  }
}

async function* finish(
  answer: Answer,
  forwards: number,
  growing: GrowingText,
  telling: Telling,
): AsyncGenerator<AnswerEvent> {
  const { question, used, prompts, signal } = telling;
  const { canvas: choice, ids, stopped, stop } = answer;
  const { text, refusal } = await filled(answer, question.shape, used.base, signal);
  const rest = refusal === undefined ? growing.rest(text) : "";
  const prompt = prompts[Math.floor(choice / question.n)]?.ids ?? [];
  const { topLogprobs = 0 } = question;
  const logprobs = question.logprobs
    ? await logprobsOf(used.base, prompt, ids, topLogprobs, signal)
    : undefined;
  if (rest !== "") yield { type: "delta", choice, text: rest };
  const told = { text, refusal, tokens: ids.length, forwards, stopped, stop, logprobs };
  yield { type: "finished", choice, answer: told };
}

/** The text of a frame's final tokens, up to the first that ends the answer. */
async function finalText({ answer }: Frame, final: number, { used, signal }: Telling): Promise<string> {
  const { base } = used;
  const end = answer.findIndex((id) => base.stopTokenIds.includes(id));
  const ids = answer.slice(0, end < 0 ? final : Math.min(end, final));
  return (await base.pieces(ids, { special: false, signal })).join("");
}

async function shown(frame: Frame, final: number, { used, signal }: Telling): Promise<ShownFrame> {
  const { canvas, iteration, iterations, answer, state, gaps } = frame;
  const masked = (state?.masked ?? []).flatMap((is, position) => (is ? [position] : []));
  return {
    choice: canvas,
    iteration,
    iterations,
    tokens: await used.base.pieces(answer, { signal }),
    masked,
    final,
    ...(gaps && { gaps }),
  };
}

function hasLengths(pieces: CanvasStart["answer"]): boolean {
  return (pieces ?? []).some(
    (piece) =>
      typeof piece === "object" && "kind" in piece && piece.kind === "gap" && piece.lengths.length > 1,
  );
}

function canvasByCanvas({ adapter }: UsedModel): boolean {
  return (adapter?.info.claims?.canvasTokens ?? 0) > 0;
}

function besideShape(field: string, value: unknown) {
  return invalidOption(
    field,
    value,
    "an answer of a given shape ends where the shape does",
    `Leave out ${field}, or the schema.`,
  );
}
