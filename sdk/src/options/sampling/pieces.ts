/** The pieces of an answer (docs/method.md §6): what is fixed, what is open, and what is there to begin with. */
import { z } from "zod";
import { check } from "../../checks/check.js";
import { integer, list, text } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";

/** A gap whose length is to be found. */
export interface GapOptions {
  /**
   * The most tokens that it may take: an integer from 1 to 1,024. All lengths from 1 on are tried, or sixteen of them if there are more.
   */
  upTo: number;
}

/** Positions of an answer that are to be filled. */
export interface Gap {
  /** Tells it from other pieces. */
  readonly kind: "gap";
  /** The lengths that it may have, in tokens. */
  readonly lengths: readonly number[];
}

/** A part of an answer that is there to begin with and may change. */
export interface DraftPiece {
  /** Tells it from other pieces. */
  readonly kind: "draft";
  /** Text or token ids. */
  readonly of: string | readonly number[];
}

/** A piece of an answer: text or token ids that stay as they are, `gap(6)`, or `draftOf("…")`. */
export type AnswerPiece = string | readonly number[] | Gap | DraftPiece;

const gapTokens = integer(1, 2 ** 20);
export const gapFields = fieldsOf<GapOptions>()({ upTo: integer(1, 1024) });

/** The most lengths of one gap that are tried. */
const MOST_LENGTHS = 16;

/**
 * Positions to fill: so many, or, with `upTo`, as many as fit best.
 *
 * @throws LadError `invalid-option`
 */
export function gap(tokens: number | GapOptions): Gap {
  if (typeof tokens !== "object") return { kind: "gap", lengths: [check(gapTokens, tokens, "gap")] };
  const { upTo } = check(gapFields, tokens, "gap");
  const count = Math.min(upTo, MOST_LENGTHS);
  return {
    kind: "gap",
    lengths: Array.from({ length: count }, (_, i) => Math.ceil(((i + 1) * upTo) / count)),
  };
}

/** A part of an answer that is there to begin with and may change: text, or token ids. */
export function draftOf(of: string | readonly number[]): DraftPiece {
  return { kind: "draft", of: check(written("text or token ids"), of, "draftOf") };
}

/** Text or token ids, at least one of them. */
export function written(what: string) {
  return z.union([text().min(1, { error: what }), list(integer(0), what)], { error: what });
}

const PIECE = "text, token ids, gap(…) or draftOf(…)";

export const pieces = list(
  z.union(
    [
      written(PIECE),
      z.strictObject({ kind: z.literal("gap"), lengths: list(gapTokens, PIECE) }),
      z.strictObject({ kind: z.literal("draft"), of: written(PIECE) }),
    ],
    { error: PIECE },
  ),
  "a list of pieces, at least one",
);
