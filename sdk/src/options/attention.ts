/** How tokens attend to each other (docs/method.md §1), and how works share the device. */
import { number, oneOf } from "../checks/fields.js";

const DENOISING = ["full", "prefix", "causal-prefix"] as const;

/**
 * How a prompt attends while its answer is denoised. `full`: every token attends to its whole sequence. `prefix`: prompt
 * tokens attend to the prompt alone, so that they are computed once for all requests between two steps of the adapter.
 * `causal-prefix`: the prompt runs through the unadapted causal base, once for all adapters and requests that share it.
 */
export type DenoisingAttention = (typeof DENOISING)[number];

export const denoisingAttention = oneOf(DENOISING);

/** Also `causal`: every token attends to itself and what precedes it. */
export const attention = oneOf([...DENOISING, "causal"]);

/** The run's share of the device while others want it too, relative to theirs; from 0.001 to 1000. */
export const shareWeight = number(1e-3, 1e3);
