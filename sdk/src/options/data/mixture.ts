/** Data that is mixed of named sources. */
import { z } from "zod";
import { flag, integer, seed, share, storedName } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import { type PlainSource, plainSourceSchema } from "./sources.js";

/** One source of a mixture. */
export interface MixtureSource {
  /** Where its examples come from. */
  data: PlainSource;
  /**
   * Its part of the mixture's examples, in proportion to the other sources' shares: a number above 0 and at most 1,000,000. Every
   * beginning of the mixture has it within one example.
   */
  share: number;
  /** Leaves out longer prompts, in tokens of the base: an integer from 0 to 1,048,576. Default: 0, no limit. */
  maxPromptTokens?: number | undefined;
  /**
   * Leaves out longer answers, in tokens of the base with the one that ends an answer: an integer from 0 to 1,048,576. Default: 0, no
   * limit.
   */
  maxAnswerTokens?: number | undefined;
  /**
   * How often each example may be used again once all are used up, where the mixture has a number of `examples`: an integer from 0 to
   * 1000. Default: 3, since up to four passes are about as good as new data (arXiv 2305.16264).
   */
  maxRepeats?: number | undefined;
}

/**
 * How near-duplicates are found: by MinHash over each example's runs of words, whatever their case and punctuation. The worker's extra
 * `data` has to be installed.
 */
export interface NearDuplicateOptions {
  /** The least Jaccard similarity with an earlier example, as it is estimated: a number above 0 and at most 1. Default: 0.8. */
  threshold?: number | undefined;
  /** Words of a run: an integer from 1 to 1024. Default: 5. */
  shingleWords?: number | undefined;
  /**
   * Numbers of a signature; with 128 of them each example takes about 4 KiB of the worker's memory: an integer from 16 to 1024.
   * Default: 128.
   */
  permutations?: number | undefined;
}

/** Which examples stand in the mixture already, of whichever source; those of the source whose name is first stay. */
export interface DeduplicateOptions {
  /** Leave out examples whose turns are those of an earlier one, but for white space. Default: true. */
  exact?: boolean | undefined;
  /** Leave out examples that are similar to an earlier one. Default: none is. */
  near?: NearDuplicateOptions | undefined;
}

/** Options of `mixture`. */
export interface MixtureOptions {
  /** An object of 1 to 256 sources, by their names. Their order has no effect. */
  sources: Readonly<Record<string, MixtureSource>>;
  /** Keys the choice and order of examples: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
  /**
   * Examples of the mixture, for which sources that run out are repeated: an integer of at least 0. Default: 0, as many as there are
   * until a source runs out, none of them twice.
   */
  examples?: number | undefined;
  /** Which duplicates are left out. Default: exact ones. */
  deduplicate?: DeduplicateOptions | undefined;
  /**
   * Benchmarks: examples whose prompts stand in them are left out. Besides examples, `jsonl(…)` and `hub(…)` may have the benchmark's
   * own rows, with a `question`, `ctx`, `problem` or `prompt`. Default: none.
   */
  without?: readonly PlainSource[] | undefined;
  /**
   * So many words in a row that a prompt shares with a benchmark's count as standing in it, as does a whole benchmark's prompt of at
   * least 8: an integer from 0 to 1024. 0: only prompts that are equal as a whole. Default: 13 (GPT-3, arXiv 2005.14165).
   */
  overlapWords?: number | undefined;
}

/** Data that is mixed of named sources; the worker makes it, the same bytes from the same sources and seed. */
export interface Mixture {
  /** What it is mixed of. */
  readonly mixture: MixtureOptions;
}

const SHARE = "a number above 0 and at most 1000000";
const SOURCES = "an object of 1 to 256 sources";

export const mixturePartFields = fieldsOf<MixtureSource>()({
  data: plainSourceSchema,
  share: z.number({ error: SHARE }).gt(0, { error: SHARE }).max(1e6, { error: SHARE }),
  maxPromptTokens: integer(0, 2 ** 20).default(0),
  maxAnswerTokens: integer(0, 2 ** 20).default(0),
  maxRepeats: integer(0, 1000).default(3),
});

export const nearDuplicateFields = fieldsOf<NearDuplicateOptions>()({
  threshold: share().default(0.8),
  shingleWords: integer(1, 1024).default(5),
  permutations: integer(16, 1024).default(128),
});

export const deduplicateFields = fieldsOf<DeduplicateOptions>()({
  exact: flag().default(true),
  near: nearDuplicateFields.optional(),
});

export const mixtureFields = fieldsOf<MixtureOptions>()({
  sources: z
    .record(storedName(), mixturePartFields, { error: SOURCES })
    .refine((sources) => isCount(Object.keys(sources).length), { error: SOURCES })
    .readonly(),
  seed: seed().default(0n),
  examples: integer(0).default(0),
  deduplicate: deduplicateFields.optional(),
  without: z
    .array(plainSourceSchema, { error: "a list of benchmarks' data" })
    .max(256, { error: "a list of at most 256" })
    .readonly()
    .default([]),
  overlapWords: integer(0, 1024).default(13),
});

/** What a mixture is made of, complete. */
export type CheckedMixture = z.output<typeof mixtureFields>;

export const mixtureSource = fieldsOf<Mixture>()({ mixture: mixtureFields });

/** Data that is mixed of named sources: `mixture({ sources: { gsm: { data: jsonl("gsm.jsonl"), share: 0.3 }, … } })`. */
export function mixture(options: MixtureOptions): Mixture {
  return { mixture: options };
}

function isCount(sources: number): boolean {
  return sources >= 1 && sources <= 256;
}
