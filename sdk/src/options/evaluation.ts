import { check, type Warn } from "../checks/check.js";
import { list, text, without } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { misplacedBesidePolicy } from "./sampling/policy.js";
import {
  type CheckedSampling,
  checkPrompt,
  checkSpec,
  type PromptOptions,
  promptShape,
  type SamplingOptions,
  specFields,
} from "./sampling.js";

/** A question, and the right answer where there is one. */
export interface EvaluationItem extends PromptOptions {
  /** The right answer. Default: none, and the question does not count for exact match. */
  reference?: string | undefined;
}

export const itemFields = fieldsOf<EvaluationItem>()({ ...promptShape, reference: text().optional() });

/** Options of `evaluate`: questions, and how to sample their answers. */
export interface EvaluateOptions extends Omit<SamplingOptions, "frames" | "detached"> {
  /** The questions, at least one. */
  items: readonly EvaluationItem[];
}

export const evaluateFields = fieldsOf<EvaluateOptions>()(
  {
    items: list(itemFields, "a list of { messages, reference }, at least one"),
    ...without(specFields, "frames", "detached").shape,
  },
  misplacedBesidePolicy,
);

export interface CheckedEvaluation {
  readonly sampling: CheckedSampling;
  readonly references: readonly (string | undefined)[];
  readonly signal: AbortSignal | undefined;
}

/** @throws LadError `invalid-option` */
export function checkEvaluate(options: EvaluateOptions, adapted: boolean, warn: Warn): CheckedEvaluation {
  const { items, ...spec } = check(evaluateFields, options);
  for (const [index, item] of items.entries()) checkPrompt(item, `items[${index}].`);
  const whole = { ...spec, frames: false, detached: false };
  return {
    sampling: {
      canvases: items.map(({ reference: _, ...prompt }) => prompt),
      spec: checkSpec(whole, options, adapted, warn),
    },
    references: items.map(({ reference }) => reference),
    signal: spec.signal,
  };
}
