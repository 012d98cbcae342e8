/** How tokens attend to each other (docs/method.md §1), and how works share the device. */
import { number, oneOf } from "../checks/fields.js";

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

/** What takes its turn on the device beside others. */
export interface ShareOptions {
  /** The run's share of the device while others want it too, relative to theirs: a number from 0.001 to 1,000. Default: 1. */
  shareWeight?: number | undefined;
}

export const shareWeight = number(1e-3, 1e3);
