/** The canvases that a sampling run asks of the worker: one for each prompt, or for each length that a gap of its answer may have. */
import { isDeepStrictEqual } from "node:util";
import type { Client } from "../client.js";
import { encodeTexts } from "../data/text.js";
import { invalidOption } from "../errors.js";
import {
  ANSWER_TOKENS,
  type AnswerPiece,
  type Beginning,
  type CheckedSampling,
  type StartedCanvas,
} from "../options.js";
import type { AnswerSize, BaseInfo, CanvasAnswer, SamplingState, SettledSampling } from "../wire.js";
import { beganAt, beginningOf, checkRoom, defaultStrength, type Part, tokensOf } from "./beginning.js";

/** A canvas of the worker's run. */
export interface RunCanvas extends CanvasAnswer {
  /** The prompt's number in the request. */
  readonly asked: number;
  /** The lengths of the answer's gaps, where it is given in pieces. */
  readonly gaps?: readonly number[] | undefined;
}

/** The canvases of a run, first one for each prompt, and how many positions the answers have whose canvases do not say. */
export interface RunCanvases extends AnswerSize {
  readonly canvases: readonly RunCanvas[];
}

/** What was asked for, with what depends on how the adapter was trained. */
export interface SettledCanvases extends CheckedSampling {
  readonly spec: SettledSampling;
}

/** The most combinations of gap lengths that are tried for one answer. */
const MOST_COMBINATIONS = 256;

/**
 * Text pieces are tokenised each by itself, by the worker. Answers whose length nobody gave fill the windows that the adapter was trained
 * in, if these are known (above 0).
 *
 * @throws LadError `invalid-option` for pieces that do not fit the answer
 */
export async function runCanvases(
  client: Client,
  base: BaseInfo,
  { canvases, spec }: SettledCanvases,
  windowTokens: number,
  signal: AbortSignal,
): Promise<RunCanvases> {
  const texts = await encodedTexts(client, base, canvases, signal);
  const padTokenIds = await padIds(client, base, canvases, spec, signal);
  const laid = canvases.map((canvas) => layouts(canvas, texts));
  const planned = canvases.map(({ begin, seed }, asked): RunCanvas[] => {
    if (begin === undefined) return [{ asked }];
    const size = sizeOf(wanted(begin, laid[asked] ?? [], spec), spec.answerTokens, windowTokens);
    if (begin.from !== undefined) {
      const { key, ...state } = continued(begin, begin.from, spec);
      return [{ asked, size, begin: seed === undefined ? { ...state, key } : state }];
    }
    const { answerTokens } = size;
    const key = { seed: String(seed ?? 0n), canvas: seed === undefined ? asked : 0 };
    return (laid[asked] ?? []).map(({ parts, gaps }) => {
      checkRoom(parts, { ...spec, answerTokens }, begin.isWhole ? "answer" : "draft");
      const tokens = Math.min(spec.canvasTokens || answerTokens, answerTokens);
      const state = beginningOf(parts, tokens, { ...base, padTokenIds }, begin.isWhole);
      const strength = begin.strength ?? defaultStrength(state);
      const began = { ...beganAt(state, spec.policy, strength), key };
      return { asked, size, ...(begin.isWhole && { gaps }), begin: began };
    });
  });
  // The first of each has its prompt's number, by which canvases without a seed draw.
  const order = [...planned.map((some) => some.slice(0, 1)), ...planned.map((some) => some.slice(1))].flat();
  return sized(order, sizeOf({ tokens: 0, isAll: false }, spec.answerTokens, windowTokens));
}

/** The run has the size of the canvases that say nothing of theirs, or that of its first. */
function sized(canvases: readonly RunCanvas[], unsaid: AnswerSize): RunCanvases {
  const size = canvases.every((canvas) => canvas.size !== undefined) ? (canvases[0]?.size ?? unsaid) : unsaid;
  const own = canvases.map(({ size: said, ...canvas }) =>
    said === undefined || isDeepStrictEqual(said, size) ? canvas : { ...canvas, size: said },
  );
  return { canvases: own, ...size };
}

/** An answer's parts, with one length for each of its gaps. */
interface Layout {
  readonly parts: readonly Part[];
  readonly gaps: readonly number[];
}

type Texts = Map<boolean, Map<string, readonly number[]>>;

async function encodedTexts(
  client: Client,
  base: BaseInfo,
  canvases: readonly StartedCanvas[],
  signal: AbortSignal,
): Promise<Texts> {
  const encoded: Texts = new Map();
  for (const allowSpecial of [false, true]) {
    const some = canvases.filter((canvas) => canvas.allowSpecial === allowSpecial);
    const texts = [...new Set(some.flatMap(({ begin }) => begin?.pieces?.flatMap(textOf) ?? []))];
    const ids = texts.length > 0 ? await encodeTexts(client, base.id, texts, { allowSpecial, signal }) : [];
    encoded.set(allowSpecial, new Map(texts.map((text, i) => [text, ids[i] ?? []])));
  }
  return encoded;
}

/** What fills the tails of answers that are given whole. */
async function padIds(
  client: Client,
  base: BaseInfo,
  canvases: readonly StartedCanvas[],
  { padTokens }: SettledSampling,
  signal: AbortSignal,
): Promise<number[]> {
  if (padTokens.length === 0 || !canvases.some(({ begin }) => begin?.isWhole)) return [];
  return (await encodeTexts(client, base.id, padTokens, { allowSpecial: true, signal })).flat();
}

function textOf(piece: AnswerPiece): string[] {
  const of = typeof piece === "object" && "kind" in piece && piece.kind === "draft" ? piece.of : piece;
  return typeof of === "string" ? [of] : [];
}

/** Every combination of the lengths of the gaps. */
function layouts({ begin, allowSpecial }: StartedCanvas, texts: Texts): readonly Layout[] {
  if (begin?.pieces === undefined) return [];
  const idsOf = (of: string | readonly number[]) =>
    typeof of === "string" ? (texts.get(allowSpecial)?.get(of) ?? []) : of;
  let all: Growing[] = [{ parts: [], gaps: [] }];
  for (const piece of begin.pieces) {
    const choices = choicesOf(piece, idsOf, begin.pinned);
    const [only] = choices;
    if (only !== undefined && choices.length === 1) {
      for (const layout of all) append(layout, only);
      continue;
    }
    if (all.length * choices.length > MOST_COMBINATIONS) {
      const problem = `its gaps have more than ${MOST_COMBINATIONS} combinations of lengths`;
      throw invalidOption("answer", `${begin.pieces.length} pieces`, problem, "Give some gaps one length.");
    }
    all = all.flatMap(({ parts, gaps }) =>
      choices.map((more) => append({ parts: [...parts], gaps: [...gaps] }, more)),
    );
  }
  return all;
}

/** A layout that is being made. */
interface Growing {
  readonly parts: Part[];
  readonly gaps: number[];
}

/** The same layout, longer: many pieces of one length are joined in a time that grows with their number. */
function append(layout: Growing, more: Layout): Growing {
  for (const part of more.parts) layout.parts.push(part);
  for (const tokens of more.gaps) layout.gaps.push(tokens);
  return layout;
}

function choicesOf(
  piece: AnswerPiece,
  idsOf: (of: string | readonly number[]) => readonly number[],
  pinned: readonly boolean[] | undefined,
): readonly Layout[] {
  if (typeof piece === "object" && "kind" in piece && piece.kind === "gap") {
    return piece.lengths.map((tokens) => ({ parts: [{ tokens, pinned: false }], gaps: [tokens] }));
  }
  const isDraft = typeof piece === "object" && "kind" in piece;
  const ids = idsOf(isDraft ? piece.of : piece);
  if (pinned === undefined) {
    return [{ parts: [{ tokens: ids.length, ids, pinned: !isDraft }], gaps: [] }];
  }
  const parts = ids.map((id, p) => ({ tokens: 1, ids: [id], pinned: pinned[p] === true }));
  return [{ parts, gaps: [] }];
}

/** The tokens that an answer begins with, and whether it has no others. */
interface Wanted {
  readonly tokens: number;
  readonly isAll: boolean;
}

/** Pieces that are a whole answer have one token more, for the end. */
function wanted(
  begin: Beginning,
  laid: readonly Layout[],
  { canvasTokens, policy }: SettledSampling,
): Wanted {
  if (begin.from !== undefined) {
    const { growTokens = 0 } = policy as { readonly growTokens?: number };
    return { tokens: begin.from.ids.length, isAll: canvasTokens === 0 && growTokens === 0 };
  }
  const most = Math.max(0, ...laid.map(({ parts }) => tokensOf(parts)));
  return begin.isWhole ? { tokens: most + 1, isAll: true } : { tokens: most, isAll: false };
}

/** The size of an answer that begins so, where none was given. */
function sizeOf({ tokens, isAll }: Wanted, given: number | undefined, windowTokens: number): AnswerSize {
  if (given !== undefined) return { answerTokens: given, windowTokens: 0 };
  if (isAll) return { answerTokens: tokens, windowTokens: 0 };
  if (windowTokens > 0) return { answerTokens: tokens, windowTokens };
  return { answerTokens: Math.max(ANSWER_TOKENS, tokens), windowTokens: 0 };
}

function continued(
  { strength }: Beginning,
  from: SamplingState,
  { policy }: CheckedSampling["spec"],
): SamplingState {
  return strength === undefined ? from : beganAt(from, policy, strength);
}
