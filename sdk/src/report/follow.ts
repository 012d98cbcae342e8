/** Draws a run while it goes on: its events in, lines in a `LiveBlock` out. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Cell, denoisingLines } from "./denoising.js";
import { progressLine } from "./progress.js";
import type { LiveBlock } from "./terminal.js";

/** What is used of a training run's events. */
export interface TrainingEventLike {
  /** Of these only `step` is drawn. */
  readonly type: string;
  /** Steps taken, this one included. */
  readonly step?: number;
  /** That the step took. */
  readonly seconds?: number;
  /** Tokens computed in it for each second. */
  readonly tokensPerSecond?: number;
  /** The batch's losses, in nats. */
  readonly report?:
    | {
        /** What is optimised. */
        readonly loss: number;
      }
    | undefined;
}

/** What tells a step from a training run's other events. */
export interface StepLike {
  /** Its kind. */
  readonly type: "step";
}

/** What is used of a sampler's frame. */
export interface FrameLike {
  /** From 0. */
  readonly iteration: number;
  /** How many there are at most. */
  readonly iterations: number;
  /** What was sampled at every answer position. */
  readonly answer: readonly number[];
  /** What the iteration changed; positions count from the answer's start. */
  readonly edits: readonly {
    /** Which answer position. */
    readonly position: number;
    /** Whether the next input shows MASK there. */
    readonly remasked: boolean;
  }[];
  /** Of self-speculation: the round's draft. What it changed stands at the end of the answer. */
  readonly speculation?:
    | {
        /** The checked token ids. */
        readonly drafted: readonly number[];
        /** How many of the first drafted ones stand. */
        readonly accepted: number;
      }
    | undefined;
}

/** Time between two frames in a terminal, without which a quick sampler could not be watched. */
const PACE_MS = 90;
/** The loss shown is a running mean over about so many steps. */
const SMOOTHING_STEPS = 10;

/**
 * Follows a training run of `steps` steps with a bar, its loss (a running mean) and its speed. Its step events, in order; a
 * cancelled or failed run throws.
 */
export async function drawTraining<Event extends TrainingEventLike>(
  block: LiveBlock,
  label: string,
  steps: number,
  events: AsyncIterable<Event>,
): Promise<Extract<Event, StepLike>[]> {
  const taken: Extract<Event, StepLike>[] = [];
  let loss: number | undefined;
  let seconds = 0;
  for await (const event of events) {
    if (!isStep(event)) continue;
    taken.push(event);
    const { step = 0, report, tokensPerSecond } = event;
    const now = report?.loss ?? Number.NaN;
    loss = loss === undefined ? now : loss + (now - loss) / SMOOTHING_STEPS;
    seconds += event.seconds ?? 0;
    block.update([progressLine({ label, step, steps, loss, tokensPerSecond, seconds }, block.columns)]);
  }
  block.finish();
  return taken;
}

function isStep<Event extends TrainingEventLike>(event: Event): event is Extract<Event, StepLike> {
  return event.type === "step";
}

/** What is used of a base: each token's own text, which join to that of all, and the tokens that end an answer. */
export interface TokenTexts {
  /** Every token that ends an answer. */
  readonly stopTokenIds: readonly number[];
  /** Each token's own text. */
  pieces(ids: readonly number[]): Promise<readonly string[]>;
}

/** Follows a sampler frame by frame; tokens that end the answer are dots. */
export async function drawDenoising(
  block: LiveBlock,
  label: string,
  frames: AsyncIterable<FrameLike>,
  base: TokenTexts,
): Promise<void> {
  let before: readonly number[] | undefined;
  for await (const frame of frames) {
    const cells = frameCells(frame, await frameTexts(frame, base), before);
    const shown = { label, iteration: frame.iteration + 1, iterations: frame.iterations, cells };
    block.update(denoisingLines(shown, block.columns, block.color));
    before = frame.answer;
    if (block.isLive) await sleep(PACE_MS);
  }
  block.finish();
}

/** The texts of the tokens that a frame shows; tokens that end the answer are dots. */
export async function frameTexts(frame: FrameLike, base: TokenTexts): Promise<string[]> {
  const texts: string[] = [];
  for (const tokens of shownTokens(frame)) {
    const pieces = tokens.length > 0 ? await base.pieces(tokens) : [];
    texts.push(...pieces.map((text, i) => (base.stopTokenIds.includes(tokens[i] as number) ? "·" : text)));
  }
  return texts;
}

/** The tokens that a frame shows: its answer, then those drafted ones that do not stand. */
export function frameTokens(frame: FrameLike): number[] {
  return shownTokens(frame).flat();
}

/** The tokens that a frame shows: its answer, and those drafted ones that do not stand, which continue no letter of the answer. */
function shownTokens({ answer, speculation }: FrameLike): [readonly number[], readonly number[]] {
  return [answer, speculation?.drafted.slice(speculation.accepted) ?? []];
}

/**
 * The canvas as a frame leaves it: what will be masked next, what was sampled otherwise than before. A round of self-speculation shows
 * what became of its draft. `texts` are those of `frameTexts`.
 */
export function frameCells(
  frame: FrameLike,
  texts: readonly string[],
  before: readonly number[] | undefined,
): Cell[] {
  const remasked = new Set(frame.edits.filter((edit) => edit.remasked).map((edit) => edit.position));
  return frameTokens(frame).map((id, position) => {
    const text = texts[position] ?? "";
    if (frame.speculation) return { text, state: stateInRound(frame, frame.speculation.accepted, position) };
    if (remasked.has(position)) return { text, state: "masked" };
    return { text, state: id === before?.[position] ? "same" : "changed" };
  });
}

function stateInRound({ answer, edits }: FrameLike, accepted: number, position: number): Cell["state"] {
  const before = answer.length - edits.length;
  if (position < before) return "same";
  if (position < before + accepted) return "accepted";
  if (position < answer.length) return "own";
  return position === answer.length ? "refused" : "drafted";
}
