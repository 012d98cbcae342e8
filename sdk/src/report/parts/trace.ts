/** How an answer came about, iteration by iteration. */
import type { Cell } from "../denoising.js";
import { type FrameLike, frameCells, frameTexts, type TokenTexts } from "../follow.js";

/** One iteration of a trace. */
export interface TraceFrame {
  /** From 1. */
  readonly iteration: number;
  /** The answer positions, in order. */
  readonly cells: readonly Cell[];
}

/** An answer's way from the first iteration to the last. */
export interface Trace {
  /** What it shows, such as `remask, 16 iterations`. */
  readonly title: string;
  /** What was asked. Default: not told. */
  readonly prompt?: string | undefined;
  /** In order; at least one. */
  readonly frames: readonly TraceFrame[];
}

/** A trace as a part of a report. */
export interface TracePart extends Trace {
  readonly kind: "trace";
}

/** What a trace is made of. */
export interface TraceSource {
  /** What it shows, such as `remask, 16 iterations`. */
  readonly title: string;
  /** What was asked. Default: not told. */
  readonly prompt?: string | undefined;
  /** A sampler's frames, as they come: those of `adapter.sample(…)`. */
  readonly frames: AsyncIterable<FrameLike> | Iterable<FrameLike>;
  /** Gives the tokens' texts: the base that was sampled from. */
  readonly base: TokenTexts;
}

/** Reads a sampler's frames to their end and decodes them. Tokens that end the answer are dots. */
export async function traceOf({ title, prompt, frames, base }: TraceSource): Promise<Trace> {
  const shown: TraceFrame[] = [];
  let before: readonly number[] | undefined;
  for await (const frame of frames) {
    const cells = frameCells(frame, await frameTexts(frame, base), before);
    shown.push({ iteration: frame.iteration + 1, cells });
    before = frame.answer;
  }
  return { title, prompt, frames: shown };
}
