/** What an answer begins from, if not from MASKs alone (docs/method.md §6). */
import { z } from "zod";
import { check, type Warn } from "../../checks/check.js";
import { fields, flag, integer, number, oneOf } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import { invalidOption, LadError } from "../../errors.js";
import { type Policy, policyDefinition } from "../../method/policy.js";
import type { Frame, SamplingState } from "../../results/sampling.js";
import { type AnswerPiece, pieces, written } from "./pieces.js";

/** What an answer begins from; without any of them, from MASKs alone. */
export interface BeginningOptions {
  /**
   * A first version of the answer, as text or token ids: every position may change, those behind it are MASK. Default: none.
   */
  draft?: string | readonly number[] | undefined;
  /** Which positions of the draft's token ids stay as they are: their numbers, or true for each that does. Default: none. */
  pinned?: readonly number[] | readonly boolean[] | undefined;
  /**
   * The answer in pieces: text and token ids stay as they are, `gap(6)` is filled with so many tokens, `draftOf("…")` may change. The
   * end of the answer stands behind them. Each piece is tokenised by itself. Default: none.
   */
  answer?: readonly AnswerPiece[] | undefined;
  /**
   * A frame, or its state, edited or not, from which the run goes on. The other options are as in the frame's run. Default: none.
   */
  from?: Frame | SamplingState | undefined;
  /**
   * Where a policy that masks less and less again begins: a number from 0 to 1; 1: with its first iteration, 0: with its last.
   * Default: 0.5 where something is drafted, else 1; after `from`, where its run was.
   */
  strength?: number | undefined;
}

const SEED_DIGITS = "a seed in decimal digits";

const tokenIds = z.array(integer(0), { error: "token ids" }).readonly();
const flags = z.array(flag(), { error: "true or false for each position" }).readonly();
const numbers = z.array(number(0, 1), { error: "numbers from 0 to 1" }).readonly();

const keyFields = fields({
  seed: z.string({ error: SEED_DIGITS }).regex(/^\d{1,20}$/, { error: SEED_DIGITS }),
  canvas: integer(0),
}).readonly();

export const stateFields = fieldsOf<SamplingState>()({
  ids: tokenIds,
  masked: flags,
  kept: flags,
  pinned: flags,
  confidences: numbers,
  memory: z.array(integer(0, Number.MAX_SAFE_INTEGER), { error: "whole numbers" }).readonly(),
  sampled: tokenIds,
  same: integer(0),
  iteration: integer(0),
  stopped: oneOf(["iterations", "settled"]).optional(),
  finished: integer(0),
  finishedIterations: integer(0),
  forwards: integer(0),
  key: keyFields.optional(),
});

export const beginningShape = {
  draft: written("text or token ids").optional(),
  pinned: z
    .union([tokenIds, z.array(flag()).readonly()], { error: "positions, or true or false for each" })
    .optional(),
  answer: pieces.optional(),
  from: z
    .custom<Frame | SamplingState>((value) => typeof value === "object" && value !== null, {
      error: "a frame, or its state",
    })
    .optional(),
  strength: number(0, 1).optional(),
};

export const beginningFields = fieldsOf<BeginningOptions>()(beginningShape);
type Given = z.output<typeof beginningFields>;

/** What an answer begins from, checked. */
export interface Beginning {
  /** The answer's pieces; or the draft, to which MASKs are added. */
  readonly pieces?: readonly AnswerPiece[] | undefined;
  /** Whether the pieces are the whole answer. */
  readonly isWhole: boolean;
  readonly pinned?: readonly boolean[] | undefined;
  readonly from?: SamplingState | undefined;
  readonly strength?: number | undefined;
}

/**
 * What an answer begins from; undefined: from MASKs alone.
 *
 * @param path - the prefix of option names in errors
 * @throws LadError `invalid-option`
 */
export function checkBeginning(given: Given, policy: Policy, warn: Warn, path = ""): Beginning | undefined {
  const { draft, answer, from, strength } = given;
  const [name, second] = Object.entries({ draft, answer, from }).flatMap(([key, value]) =>
    value === undefined ? [] : [key],
  );
  if (second !== undefined) {
    throw new LadError("invalid-option", `${path}${name} and ${path}${second} are both given.`, {
      option: `${path}${second}`,
      remedy: "Give one of draft, answer and from.",
    });
  }
  if (given.pinned !== undefined && (draft === undefined || typeof draft === "string")) {
    throw invalidOption(
      `${path}pinned`,
      given.pinned,
      "it counts the token ids of a draft",
      'Give draft as token ids, or fixed text as a piece: answer: ["…", gap(6)].',
    );
  }
  if (name === undefined) {
    if (strength !== undefined) warn(`${path}strength is ignored: nothing is drafted.`);
    return undefined;
  }
  checkPolicy(given, name, policy, path);
  if (strength !== undefined && policyDefinition(policy.kind).denoising?.isScheduled !== true) {
    warn(`${path}strength is ignored: policy ${policy.kind} has no schedule.`);
  }
  return {
    pieces: answer ?? (draft === undefined ? undefined : draftPieces(draft)),
    isWhole: answer !== undefined,
    pinned: given.pinned === undefined ? undefined : pins(draft?.length ?? 0, given.pinned, path),
    from: from === undefined ? undefined : stateOf(from, path),
    strength,
  };
}

function draftPieces(of: string | readonly number[]): readonly AnswerPiece[] {
  return [{ kind: "draft", of }];
}

/** @throws LadError `invalid-option` if the policy cannot begin so */
function checkPolicy({ draft, answer }: Given, name: string, policy: Policy, path: string): void {
  const { denoising } = policyDefinition(policy.kind);
  if (denoising === undefined) {
    throw invalidOption(
      "policy",
      policy.kind,
      `it writes one token after another, and begins from no ${path}${name}`,
      `Leave out ${name}, or denoise: policy: refine().`,
    );
  }
  const hasGap = answer?.some(
    (piece) => typeof piece === "object" && "kind" in piece && piece.kind === "gap",
  );
  if (denoising.changesVisible === false && (draft !== undefined || (answer !== undefined && !hasGap))) {
    throw invalidOption(
      "policy",
      policy.kind,
      `it changes no token that is there, so that of ${path}${name} everything stays`,
      `Give policy: refine(), or a gap: answer: ["…", gap(6)].`,
    );
  }
  const { growTokens = 0 } = policy as { readonly growTokens?: number };
  if (growTokens > 0 && name !== "from") {
    throw invalidOption(
      "policy.growTokens",
      growTokens,
      `a canvas that begins from ${path}${name} has all its positions`,
      `Leave out growTokens or ${name}.`,
    );
  }
}

/**
 * Which of a draft's tokens are pinned.
 *
 * @throws LadError `invalid-option`
 */
export function pins(
  count: number,
  given: readonly number[] | readonly boolean[],
  path: string,
): readonly boolean[] {
  const isFlags = (values: readonly unknown[]): values is readonly boolean[] =>
    typeof values[0] === "boolean";
  if (isFlags(given)) {
    if (given.length === count) return given;
    const problem = `it has ${given.length} entries and draft has ${count}`;
    throw invalidOption(`${path}pinned`, given, problem, "Give one for each token id.");
  }
  const wrong = given.find((position) => position >= count);
  if (wrong === undefined) return Array.from({ length: count }, (_, p) => given.includes(p));
  throw invalidOption(
    `${path}pinned`,
    wrong,
    `the draft has ${count} tokens`,
    "Pin positions that the draft has.",
  );
}

function stateOf(from: Frame | SamplingState, path: string): SamplingState {
  const state = "type" in from ? from.state : from;
  if (state === undefined) {
    throw invalidOption(
      `${path}from`,
      "the frame",
      "its policy does not denoise, and it has no state",
      "Give a frame of a policy that denoises.",
    );
  }
  return check(stateFields, state, `${path}from`);
}
