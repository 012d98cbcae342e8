/** How tokens attend to each other (docs/method.md §1), and how works share the device. */
import { integer, number, oneOf } from "../checks/fields.js";
import { invalidOption } from "../errors.js";
import { CONTEXTS, type TrainingContext } from "../method/random-split.js";

/**
 * How a prompt attends while its answer is denoised. `full`: every token attends to its whole sequence. `prefix`: prompt
 * tokens attend to the prompt alone, so that they are computed once for all requests between two steps of the adapter.
 * `causal-prefix`: the prompt runs through the unadapted causal base, once for all adapters and requests that share it.
 */
export type DenoisingAttention = "full" | "prefix" | "causal-prefix";

export const denoisingAttention = oneOf(["full", "prefix", "causal-prefix"]);

/**
 * Which positions attend to which. `full`: all to all. `causal`: each to itself and what precedes it. `prefix`: the prompt to
 * itself, the answer to everything. `causal-prefix`: the prompt as the unadapted causal base computes it, the answer to it and
 * to itself.
 */
export type AttentionModeName = DenoisingAttention | "causal";

export const attention = oneOf(["full", "prefix", "causal-prefix", "causal"]);

export const trainingContext = oneOf(CONTEXTS);

/** The most tokens of an answer that one canvas has; 0: no limit. */
export const canvasTokens = integer(0, 2 ** 20);

/** How answers are cut, and how tokens attend. */
interface Cut {
  readonly context: TrainingContext;
  readonly canvasTokens: number;
  readonly attention: AttentionModeName;
}

/**
 * Only in `causal-prefix` attention is there a causal past that the beginning of an answer can belong to, and only a canvas behind a cut
 * has a size of its own.
 */
export function checkContext({ context, canvasTokens, attention }: Cut): void {
  if (canvasTokens > 0 && context !== "random-split") {
    throw invalidOption(
      "canvasTokens",
      canvasTokens,
      `in ${context} context a canvas has the whole answer`,
      "Leave it out, or set context to random-split.",
    );
  }
  if (context !== "random-split" || attention === "causal-prefix") return;
  throw invalidOption(
    "context",
    context,
    `in ${attention} attention no part of an answer belongs to a causal past`,
    "Set attention to causal-prefix, or context to prompt.",
  );
}

/** What takes its turn on the device beside others. */
export interface ShareOptions {
  /** The run's share of the device while others want it too, relative to theirs: a number from 0.001 to 1,000. Default: 1. */
  shareWeight?: number | undefined;
}

export const shareWeight = number(1e-3, 1e3);
