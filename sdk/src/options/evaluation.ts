import type { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import { fields, list, text, without } from "../checks/fields.js";
import { type CheckedSampling, checkSampleMany, promptShape, specFields } from "./sampling.js";

const itemFields = fields({
  ...promptShape,
  /** The right answer, where there is one. */
  reference: text().optional(),
});
/** A question, and the right answer where there is one. */
export type EvaluationItem = z.input<typeof itemFields>;

const evaluateFields = fields({
  items: list(itemFields, "a list of { messages, reference }, at least one"),
  ...without(specFields, "frames", "detached").shape,
});
/** Options of `evaluate`: questions, and how to sample their answers. */
export type EvaluateOptions = z.input<typeof evaluateFields>;

export interface CheckedEvaluation {
  readonly sampling: CheckedSampling;
  readonly references: readonly (string | undefined)[];
  readonly signal: AbortSignal | undefined;
}

/** @throws LadError `invalid-option` */
export function checkEvaluate(options: EvaluateOptions, adapted: boolean, warn: Warn): CheckedEvaluation {
  const given = check(evaluateFields, options);
  const { items, ...spec } = options;
  const canvases = items.map(({ messages, ids, allowSpecial, seed }) => ({
    messages,
    ids,
    allowSpecial,
    seed,
  }));
  const sampling = checkSampleMany({ ...spec, canvases, frames: false }, adapted, warn);
  return { sampling, references: given.items.map(({ reference }) => reference), signal: given.signal };
}
