/** What answers under a policy come to, in counts that no machine changes, and how fast they came. */
import { isDeepStrictEqual } from "node:util";
import type { Adapter, Answer, Base, Policy, Question } from "../../sdk/src/index.js";
import { ar, exactMatch, type speculative } from "../../sdk/src/index.js";
import { median, sum } from "../harness/statistics.js";

/** Settings that all answers of a figure share. */
export interface Asked {
  readonly questions: readonly Question[];
  readonly attention: "full" | "causal-prefix";
  /** Default: what is left of the window that the adapter was trained in. */
  readonly answerTokens?: number | undefined;
}

/** One policy's answers to all questions. */
export interface PolicyRow {
  readonly policy: string;
  /** Its settings. */
  readonly settings: Policy;
  /** Forwards for each canvas, at most. */
  readonly iterations: number | undefined;
  readonly exactMatch: number;
  /** Wilson's, at 95 %. */
  readonly interval: readonly [number, number];
  /** Mean number an answer took. */
  readonly forwards: number;
  /** Tokens through the first EOS. */
  readonly tokensPerForward: number;
  /** All questions in one run. */
  readonly answersPerSecond: number;
}

/** Self-speculation beside the base's own answers. */
export interface SpeculativeRow {
  readonly questions: number;
  /** Answers that are the base's own, token for token, up to the end of their windows. */
  readonly same: number;
  readonly exactMatch: number;
  /** Tokens through the first EOS, for each forward of the base. */
  readonly tokensPerCheck: number;
  readonly tokensPerForward: number;
  /** Tokens a forward if every draft stood. */
  readonly ceiling: number;
  /** Its tokens/s over `ar`'s: one request, and eight at once. */
  readonly ratioToAr: { readonly one: number; readonly eight: number };
  /** `ar`'s tokens/s in the same rounds. */
  readonly arTokensPerSecond: { readonly one: number; readonly eight: number };
}

export async function rowOf(adapter: Adapter, policy: Policy, asked: Asked): Promise<PolicyRow> {
  const { answers, seconds } = await timed(adapter, policy, asked.questions, asked);
  const { value, interval } = exactMatch(
    answers.map(({ text }) => text),
    asked.questions.map(({ reference }) => reference),
  );
  const forwards = sum(answers.map(({ iterations }) => iterations));
  return {
    policy: policy.kind,
    settings: policy,
    iterations: "iterations" in policy ? policy.iterations : undefined,
    exactMatch: value,
    interval,
    forwards: forwards / answers.length,
    tokensPerForward: sum(answers.map(tokensOf)) / forwards,
    answersPerSecond: answers.length / seconds,
  };
}

/** @param rounds - how often one request and eight at once are timed, alternating with `ar` */
export async function speculativeRow(
  base: Base,
  adapter: Adapter,
  policy: ReturnType<typeof speculative>,
  asked: Asked,
  rounds: number,
): Promise<SpeculativeRow> {
  const { answers } = await timed(adapter, policy, asked.questions, asked);
  const answerTokens = Math.max(...answers.map(({ canvasIds }) => canvasIds.length));
  const { answers: own } = await timed(base, ar(), asked.questions, { ...asked, answerTokens });
  const tokens = sum(answers.map(tokensOf));
  const spent = answers.map(({ speculation }) => speculation);
  const checks = sum(spent.map((each) => each?.checkForwards ?? 0));
  const drafts = sum(spent.map((each) => each?.draftForwards ?? 0));
  const least = sum(answers.map((answer) => leastForwards(tokensOf(answer), policy.draftTokens)));
  const one = await ratioOf(base, adapter, policy, asked, 1, rounds);
  const eight = await ratioOf(base, adapter, policy, asked, 8, rounds);
  return {
    questions: answers.length,
    same: answers.filter(({ canvasIds }, i) => isBegun(own[i], canvasIds)).length,
    exactMatch: exactMatch(
      answers.map(({ text }) => text),
      asked.questions.map(({ reference }) => reference),
    ).value,
    tokensPerCheck: tokens / checks,
    tokensPerForward: tokens / (checks + drafts),
    ceiling: tokens / least,
    ratioToAr: { one: one.ratio, eight: eight.ratio },
    arTokensPerSecond: { one: one.ar, eight: eight.ar },
  };
}

/** Whether an answer begins with these tokens, or is these. */
function isBegun(answer: Answer | undefined, tokens: readonly number[]): boolean {
  return isDeepStrictEqual(tokens, answer?.canvasIds.slice(0, tokens.length));
}

/** Whether an answer is the right one. */
export function isRight(text: string | undefined, reference: string | undefined): boolean {
  return reference !== undefined && text?.trim() === reference.trim();
}

/** The forwards that an answer takes whose drafts all stand: its first token comes from the prompt's. */
function leastForwards(tokens: number, draftTokens: number): number {
  return 2 * Math.ceil((tokens - 1) / (draftTokens + 1));
}

/** Tokens/s over `ar`'s, in the median of rounds of `together` requests, and `ar`'s own. */
async function ratioOf(
  base: Base,
  adapter: Adapter,
  policy: Policy,
  asked: Asked,
  together: number,
  rounds: number,
): Promise<{ ratio: number; ar: number }> {
  const pairs: { ours: number; ar: number }[] = [];
  for (let round = -1; round < rounds; round++) {
    const begin = ((round + 1) * together) % Math.max(1, asked.questions.length - together + 1);
    const questions = asked.questions.slice(begin, begin + together);
    const ours = await timed(adapter, policy, questions, asked);
    const own = await timed(base, ar(), questions, asked);
    const rate = ({ answers, seconds }: Timed) => sum(answers.map(tokensOf)) / seconds;
    if (round >= 0) pairs.push({ ours: rate(ours), ar: rate(own) });
  }
  return { ratio: median(pairs.map(({ ours, ar }) => ours / ar)), ar: median(pairs.map(({ ar }) => ar)) };
}

/** Answers, and how long they took together. */
export interface Timed {
  readonly answers: readonly Answer[];
  readonly seconds: number;
}

/** All questions in one run. */
export async function timed(
  model: Adapter | Base,
  policy: Policy,
  questions: readonly Question[],
  { attention, answerTokens }: Omit<Asked, "questions">,
): Promise<Timed> {
  const canvases = questions.map(({ ids }) => ({ ids, seed: 0 }));
  const attends = policy.kind === ar().kind ? {} : { attention };
  const started = performance.now();
  const run = model.sampleMany({ canvases, policy, answerTokens, frames: false, ...attends });
  const answers = await run.result();
  return { answers, seconds: (performance.now() - started) / 1000 };
}

/** Tokens of an answer with the stop token that ends it. */
function tokensOf({ ids, canvasIds }: Answer): number {
  return Math.min(ids.length + 1, canvasIds.length);
}
