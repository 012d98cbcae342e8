/** Answers cut at a random place, as a run in `random-split` context cuts them: a pure function of (seed, example id, epoch). */
import type { PreparedExample } from "./prepared-example.js";
import { Purpose, uniforms } from "./random.js";

/** What stands before a canvas: the prompt, or the prompt with a beginning of the answer of random length. */
export const CONTEXTS = ["prompt", "random-split"] as const;

/** One of them. */
export type TrainingContext = (typeof CONTEXTS)[number];

/** What keys the cut. */
export interface SplitKey {
  /** Of the run. */
  readonly seed: bigint;
  /** From 0. */
  readonly epoch: number;
  /** Default: {@link Purpose.noise}; validation cuts under its own purpose, at epoch 0. */
  readonly purpose?: typeof Purpose.noise | typeof Purpose.validationNoise;
  /** The most tokens of the answer that its canvas has, 0: all that follow the cut. Default: 0. */
  readonly canvasTokens?: number;
}

/** Of the cut's number: the highest, which no noise has. */
const LANE = 2 ** 32 - 1;

/** The example as a run in `random-split` context sees it, to be noised and targeted as any other. */
export function randomSplit(
  example: PreparedExample,
  { seed, epoch, purpose = Purpose.noise, canvasTokens = 0 }: SplitKey,
): PreparedExample {
  const [drawn] = uniforms(seed, purpose, example.id, epoch, 1, LANE);
  return split(example, drawn as number, canvasTokens);
}

/**
 * Cuts before token ⌊drawn · n⌋ of the answer's n tokens, its tail left out.
 *
 * Cut before the first one, it is the example as it is. Else the last decided token opens the canvas, visible, and neither noised nor
 * supervised; those before it join the prompt. What is behind the canvas is left out.
 */
function split(example: PreparedExample, drawn: number, canvasTokens: number): PreparedExample {
  const content: number[] = [];
  for (let i = 0; i < example.ids.length; i++) {
    if (example.answer[i] === 1 && example.tail[i] !== 1) content.push(i);
  }
  const cut = Math.floor(drawn * content.length);
  const start = content[cut] ?? 0;
  const end = canvasTokens > 0 ? Math.min(start + canvasTokens, example.ids.length) : example.ids.length;
  const seen =
    end === example.ids.length
      ? example
      : {
          ...example,
          ids: example.ids.slice(0, end),
          answer: example.answer.slice(0, end),
          tail: example.tail.slice(0, end),
        };
  if (cut === 0) return seen;
  const answer = Uint8Array.from(seen.answer).fill(0, 0, start); // a copy, where a Buffer's slice() is a view
  return { ...seen, answer, pastTokens: start - 1 };
}
