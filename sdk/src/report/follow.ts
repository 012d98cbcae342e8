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
    block.update([progressLine({ label, step, steps, loss, tokensPerSecond, seconds })]);
  }
  block.finish();
  return taken;
}

function isStep<Event extends TrainingEventLike>(event: Event): event is Extract<Event, StepLike> {
  return event.type === "step";
}

/** What is used of a base: each token's own text, and the tokens that end an answer. */
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
    const pieces = await base.pieces(frame.answer);
    const texts = pieces.map((text, i) =>
      base.stopTokenIds.includes(frame.answer[i] as number) ? "·" : text,
    );
    const cells = frameCells(frame, texts, before);
    const shown = { label, iteration: frame.iteration + 1, iterations: frame.iterations, cells };
    block.update(denoisingLines(shown, block.columns, block.color));
    before = frame.answer;
    if (block.isLive) await sleep(PACE_MS);
  }
  block.finish();
}

/** The canvas as a frame leaves it: what will be masked next, what was sampled otherwise than before. */
export function frameCells(
  frame: FrameLike,
  texts: readonly string[],
  before: readonly number[] | undefined,
): Cell[] {
  const remasked = new Set(frame.edits.filter((edit) => edit.remasked).map((edit) => edit.position));
  return frame.answer.map((id, position) => {
    const text = texts[position] ?? "";
    if (remasked.has(position)) return { text, state: "masked" };
    return { text, state: id === before?.[position] ? "same" : "changed" };
  });
}
