/** What models make of the same corrupted sentences: exactly how many tokens they mend, and how many they spoil. */

import type { NoiseReply, SampleLine, SampleRequest, ShownFrame } from "../../../src/demo/messages.js";
import type { AnswerPiece } from "../../../src/index.js";
import { stream } from "../core/api.js";

/** A model's repairs of some draws. */
export interface Repairs {
  /** Corrupted tokens, of all draws so far, and how many of them came out as in the sentence. */
  readonly corrupted: number;
  readonly mended: number;
  /** Tokens that were as in the sentence, and how many of them came out otherwise. */
  readonly sound: number;
  readonly spoilt: number;
  /** Draws that came out as the sentence, and draws so far. */
  readonly whole: number;
  readonly draws: number;
  /** The texts of the first draw's repair, and which of them are as in the sentence. */
  readonly first: readonly { readonly text: string; readonly isRight: boolean }[];
}

const NONE: Repairs = { corrupted: 0, mended: 0, sound: 0, spoilt: 0, whole: 0, draws: 0, first: [] };

/**
 * A model's repairs with one more.
 *
 * @throws Refused as the sampling does
 */
export async function withRepair(
  before: Repairs = NONE,
  { clean, drawn }: NoiseReply,
  request: Omit<SampleRequest, "answer">,
  signal: AbortSignal,
): Promise<Repairs> {
  let last: ShownFrame | undefined;
  for await (const line of stream<SampleLine>("sample", { ...request, answer: piecesOf(drawn) }, signal)) {
    if (line.type === "frame") last = line;
  }
  const right = clean.ids.map((id, position) => last?.answer[position] === id);
  const count = (isIt: (position: number) => boolean) => clean.ids.filter((_, p) => isIt(p)).length;
  const isCorrupted = (p: number) => drawn.corrupted[p] === true;
  return {
    corrupted: before.corrupted + count(isCorrupted),
    mended: before.mended + count((p) => isCorrupted(p) && right[p] === true),
    sound: before.sound + count((p) => !isCorrupted(p)),
    spoilt: before.spoilt + count((p) => !isCorrupted(p) && right[p] === false),
    whole: before.whole + (right.every(Boolean) ? 1 : 0),
    draws: before.draws + 1,
    first:
      before.draws > 0 ? before.first : right.map((isRight, p) => ({ text: last?.pieces[p] ?? "", isRight })),
  };
}

/** What was drawn, for a sampler to begin from: its masks are gaps, all else may change. */
export function piecesOf({ ids, masked }: NoiseReply["drawn"]): AnswerPiece[] {
  const pieces: AnswerPiece[] = [];
  let from = 0;
  for (let to = 1; to <= ids.length; to++) {
    if (to < ids.length && masked[to] === masked[from]) continue;
    pieces.push(
      masked[from] ? { kind: "gap", lengths: [to - from] } : { kind: "draft", of: ids.slice(from, to) },
    );
    from = to;
  }
  return pieces;
}
