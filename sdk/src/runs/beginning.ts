/** The state that an answer begins from, made of its pieces (docs/method.md §6). */
import { invalidOption } from "../errors.js";
import { shareCount } from "../method/policies/remask.js";
import { type Policy, policyDefinition } from "../method/policy.js";
import type { SamplingState } from "../results/sampling.js";

/** A piece of an answer in tokens; without ids, MASKs. */
export interface Part {
  readonly tokens: number;
  readonly ids?: readonly number[] | undefined;
  readonly pinned: boolean;
}

/** What a beginning has to know of the base. */
export interface BeginningFacts {
  readonly maskTokenId: number;
  readonly eosTokenId: number;
  /** What fills the tail behind EOS in turn. Default: EOS. */
  readonly padTokenIds?: readonly number[] | undefined;
}

/**
 * The state before the first forward. What the parts leave of the answer is its end, pinned EOS with what follows it, if they are the
 * whole answer, else MASK.
 */
export function beginningOf(
  parts: readonly Part[],
  tokens: number,
  facts: BeginningFacts,
  isWhole: boolean,
): SamplingState {
  const rest = Math.max(0, tokens - tokensOf(parts));
  const all = [...parts, { tokens: rest, pinned: isWhole, ids: isWhole ? ended(rest, facts) : undefined }];
  const each = <T>(value: (part: Part, index: number) => T) =>
    all.flatMap((part) => Array.from({ length: part.tokens }, (_, index) => value(part, index)));
  return {
    ids: each(({ ids }, i) => ids?.[i] ?? facts.maskTokenId),
    masked: each(({ ids }) => ids === undefined),
    pinned: each(({ pinned }) => pinned),
    kept: each(() => false),
    confidences: each(({ ids }) => (ids === undefined ? 0 : 1)),
    memory: [],
    sampled: [],
    same: 0,
    iteration: 0,
    finished: 0,
    finishedIterations: 0,
    forwards: 0,
  };
}

/** The end of an answer and its tail. */
function ended(tokens: number, { eosTokenId, padTokenIds = [] }: BeginningFacts): number[] {
  return Array.from({ length: tokens }, (_, i) =>
    i === 0 ? eosTokenId : (padTokenIds[(i - 1) % padTokenIds.length] ?? eosTokenId),
  );
}

export function tokensOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** The strength of a beginning by default: half of the schedule where something is drafted. */
export function defaultStrength(state: SamplingState): number {
  return state.masked.some((is, p) => !is && state.pinned[p] !== true) ? 0.5 : 1;
}

/**
 * The state at that place of a schedule: iteration floor((1 − strength) · I) of I, at most the last. Under a policy without a
 * schedule, its first iteration.
 */
export function beganAt(state: SamplingState, policy: Policy, strength: number): SamplingState {
  const { denoising } = policyDefinition(policy.kind);
  const total = denoising?.forwards(policy, state.ids.length) ?? 1;
  const iteration = denoising?.isScheduled ? Math.min(shareCount(1 - strength, total), total - 1) : 0;
  return { ...state, iteration, same: 0, sampled: [], stopped: undefined };
}

/** @throws LadError `invalid-option` if the pieces do not fit the first canvas of the answer */
export function checkRoom(
  parts: readonly Part[],
  { answerTokens, canvasTokens }: { readonly answerTokens: number; readonly canvasTokens: number },
  option: string,
): void {
  const count = tokensOf(parts);
  if (count > answerTokens) {
    const problem = `the answer has ${answerTokens} (answerTokens)`;
    throw invalidOption(option, `${count} tokens`, problem, `Give answerTokens: ${count} or more.`);
  }
  if (canvasTokens === 0 || count <= canvasTokens) return;
  throw invalidOption(
    option,
    `${count} tokens`,
    `the canvas in hand has ${canvasTokens} (canvasTokens), and what is beyond it cannot be kept`,
    "Give canvasTokens: 0, or what the first canvas holds.",
  );
}
