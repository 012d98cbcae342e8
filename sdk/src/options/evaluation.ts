import { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import { callback, list, seed, text, without } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type BootstrapOptions, bootstrapFields } from "./evaluation/bootstrap.js";
import {
  type CheckedSampling,
  checkPrompt,
  checkSpec,
  limitShape,
  misplacedBesidePrompts,
  misplacedInPrompt,
  type PromptOptions,
  promptShape,
  type SamplingLimit,
  type SamplingOptions,
  specFields,
} from "./sampling.js";

/** A question, and the right answer where there is one. */
export interface EvaluationItem extends PromptOptions {
  /** The right answer. Default: none, and the question does not count for exact match. */
  reference?: string | undefined;
}

export const itemFields = fieldsOf<EvaluationItem>()(
  { ...promptShape, reference: text().optional() },
  misplacedInPrompt("items"),
);

/** A causal model that judges answers: a base that is resident on the same worker, as `loadBase` gives it. */
export interface Judge {
  /** What the worker knows about the base. */
  readonly info: {
    /** The base's id on the worker. */
    readonly id: string;
    /** The name under which it was loaded, which the evaluation tells. */
    readonly name: string;
    /** What ends an answer. */
    readonly eosTokenId: number;
  };
}

/** Options of `evaluate`: questions, and how to sample their answers. */
export interface EvaluateOptions extends Omit<SamplingOptions, "frames" | "detached">, SamplingLimit {
  /** The questions, at least one; `base.questions(data)` makes them of data. */
  items: readonly EvaluationItem[];
  /**
   * Keys the draws, together with each question's prompt, so that an answer depends neither on the question's place nor on the others: an
   * integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). A question's own `seed` goes before. Default: 0.
   */
  seed?: number | bigint | undefined;
  /**
   * The causal base under which the answers' perplexity and bits per byte are, if not the one that answers. It reads texts, with its own
   * tokenizer and chat template. Default: the base itself, with its adapters off.
   */
  perplexityUnder?: Judge | undefined;
  /** How the intervals are drawn that are of a bootstrap. Default: as `bootstrap` does. */
  bootstrap?: BootstrapOptions | undefined;
  /** Called as answers come; what judges them then takes a moment more. Default: nobody is told. */
  onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

/** How many questions are answered. */
export interface EvaluationProgress {
  /** So many. */
  readonly done: number;
  /** Of so many. */
  readonly total: number;
}

export const evaluateFields = fieldsOf<EvaluateOptions>()(
  {
    items: list(
      itemFields,
      "a list of { messages, reference }, at least one, such as base.questions(data) makes",
    ),
    ...without(specFields, "frames", "detached").shape,
    ...limitShape,
    seed: seed().default(0n),
    perplexityUnder: z.custom<Judge>(isBase, { error: "a loaded base" }).optional(),
    bootstrap: bootstrapFields.optional(),
    onProgress: callback<(progress: EvaluationProgress) => void>().optional(),
  },
  misplacedBesidePrompts("items"),
);

export interface CheckedEvaluation {
  readonly sampling: CheckedSampling;
  readonly references: readonly (string | undefined)[];
  readonly seed: bigint;
  readonly perplexityUnder: Judge | undefined;
  readonly bootstrap: BootstrapOptions | undefined;
  readonly onProgress: ((progress: EvaluationProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
}

function isBase(value: unknown): boolean {
  const info = (value as Partial<Judge> | undefined)?.info;
  return typeof info === "object" && typeof info?.id === "string" && "eosTokenId" in info;
}

/** @throws LadError `invalid-option` */
export function checkEvaluate(options: EvaluateOptions, adapted: boolean, warn: Warn): CheckedEvaluation {
  const given = check(evaluateFields, options);
  const { items, seed, perplexityUnder, bootstrap, onProgress, timeoutMs, ...spec } = given;
  for (const [index, item] of items.entries()) checkPrompt(item, `items[${index}].`);
  const whole = { ...spec, frames: false, detached: false };
  return {
    sampling: {
      canvases: items.map(({ reference: _, ...prompt }) => prompt),
      spec: checkSpec(whole, options, adapted, warn),
    },
    seed,
    perplexityUnder,
    bootstrap,
    onProgress,
    references: items.map(({ reference }) => reference),
    signal: spec.signal,
    timeoutMs,
  };
}
