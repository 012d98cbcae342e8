/** Asks models a benchmark's questions, beside the base without an adapter (docs/benchmarks.md). */
import { Adapter } from "../adapter.js";
import { cancelled, LadError } from "../errors.js";
import type { Estimate } from "../evaluation/statistics/estimate.js";
import { newcombe, wilson } from "../evaluation/statistics/wilson.js";
import { FrozenBase } from "../frozen-base.js";
import type { Snapshot } from "../snapshot.js";
import type { ScoredBy } from "./benchmark.js";
import { type BenchmarkItem, itemsOf } from "./items.js";
import {
  type CheckedRunBenchmark,
  checkRunBenchmark,
  REFERENCE,
  type RunBenchmarkOptions,
} from "./options.js";
import { openResults, type Results, type RunConfiguration } from "./results-folder.js";
import type { ItemResult, ScoredModel, Scorer } from "./scoring/scorer.js";
import { scorerOf } from "./scoring/scorers.js";

/** What one model's answers come to. */
export interface BenchmarkScore {
  /** The share of items that are right. */
  readonly accuracy: Estimate;
  /** By likelihood, the choice that is most likely for each character (lm-eval's `acc_norm`); else undefined. */
  readonly accuracyByCharacters: Estimate | undefined;
  /** By likelihood, the choice that is most likely for each byte of UTF-8 (lm-eval's `acc_bytes`); else undefined. */
  readonly accuracyByBytes: Estimate | undefined;
  /** Its accuracy minus that of the base without an adapter, on the same items. */
  readonly difference: Estimate;
  /** Answers in which nothing could be read; they count as wrong. */
  readonly unread: number;
  /** Items whose prompt lost its beginning, because it does not fit beside what is scored or written. */
  readonly cut: number;
  /** Items of which this call computed the result; those of the others were kept. */
  readonly computed: number;
  /** How its answers came about: the likelihood, or the policy with all settings of sampling. */
  readonly how: Readonly<Record<string, unknown>>;
  /** Of every item, in the order of the rows. */
  readonly items: readonly ItemResult[];
}

/** Which base a benchmark was run on. */
export interface BenchmarkBase {
  /** The name by which it was loaded. */
  readonly name: string;
  /** The commit of a hub id, or a digest of its files. */
  readonly revision: string;
}

/** What a benchmark came to. */
export interface BenchmarkResult<Name extends string = string> {
  /** The benchmark's kind, such as `arc-easy`. */
  readonly benchmark: string;
  /** How answers were judged. */
  readonly by: ScoredBy;
  /** How many items there are. */
  readonly n: number;
  /** Answered questions before each question. */
  readonly shots: number;
  /** SHA-256 of the rows. */
  readonly data: string;
  /** The base that all models are on. */
  readonly base: BenchmarkBase;
  /** By their names. */
  readonly models: Readonly<Record<Name, BenchmarkScore>>;
  /** Of the base without an adapter: by its causal likelihood, or with the policy `ar`. */
  readonly autoregressive: BenchmarkScore;
  /** All that the results depend on, as the folder keeps it. */
  readonly configuration: RunConfiguration;
}

/**
 * Asks models a benchmark's questions. An adapter is asked as it is when the call begins, whatever trains it meanwhile. The results are
 * the same, byte for byte, for any `itemsAtOnce` and whatever else the worker does; an interrupted call goes on from its `folder`.
 *
 * @throws LadError `invalid-option`, `invalid-data`, `not-found`; `invalid-state` for a folder of another configuration; `cancelled`
 */
export async function runBenchmark<const Models extends RunBenchmarkOptions["models"]>(
  options: RunBenchmarkOptions & {
    /** By names of your own, all on one base. */
    models: Models;
  },
): Promise<BenchmarkResult<keyof Models & string>> {
  const given = checkRunBenchmark(options);
  const asked = await itemsOf(given.base, given.benchmark, given.signal);
  await using models = new AskedModels();
  await models.freeze(given);
  const configuration = configurationOf(given, asked, models.all);
  const results = await openResults(given.folder, configuration);
  try {
    const answered = new Map<string, Answered>();
    for (const model of models.all)
      answered.set(model.name, await askAll(model, asked.items, given, results));
    return resultOf(given, asked.data, answered, configuration) as BenchmarkResult<keyof Models & string>;
  } finally {
    results.close();
  }
}

/** A model as it is asked, and what identifies it. */
interface AskedModel {
  readonly name: string;
  readonly scorer: Scorer;
  readonly identity: Readonly<Record<string, unknown>>;
}

/** The models with the reference, of adapters their snapshots, which are dropped in the end. */
class AskedModels implements AsyncDisposable {
  readonly all: AskedModel[] = [];
  readonly #snapshots: Snapshot[] = [];

  async freeze(given: CheckedRunBenchmark): Promise<void> {
    for (const [name, model] of Object.entries(given.models)) {
      if (model instanceof FrozenBase) this.#add(name, model, given, { weights: null });
      else {
        const frozen = await this.#frozen(model, given.signal);
        this.#add(name, frozen, given, await identityOf(frozen, given.signal));
      }
    }
    const scorer = scorerOf(given.base, { ...given, isReference: true });
    this.all.push({ name: REFERENCE, scorer, identity: { weights: null } });
  }

  #add(name: string, model: ScoredModel, given: CheckedRunBenchmark, identity: AskedModel["identity"]): void {
    this.all.push({ name, scorer: scorerOf(model, { ...given, isReference: false }), identity });
  }

  async #frozen(model: Adapter | Snapshot, signal: AbortSignal | undefined): Promise<Snapshot> {
    if (!(model instanceof Adapter)) return model;
    const snapshot = await model.snapshot({ signal });
    this.#snapshots.push(snapshot);
    return snapshot;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const snapshot of this.#snapshots) await snapshot[Symbol.asyncDispose]();
  }
}

/** Its weights, and what of its training settles how it is sampled. */
async function identityOf(snapshot: Snapshot, signal: AbortSignal | undefined) {
  const { attention, context, windowTokens, canvasTokens } = snapshot.info.claims ?? {};
  const trained = { attention, context, windowTokens, canvasTokens };
  return { weights: await snapshot.digest({ signal }), trained };
}

/** Grows whenever the same configuration would give other results. */
const VERSION = 2;

function configurationOf(
  { benchmark, base, by }: CheckedRunBenchmark,
  { items, data, shotData }: { items: readonly BenchmarkItem[]; data: string; shotData: string | undefined },
  models: readonly AskedModel[],
): RunConfiguration {
  const { kind, template } = benchmark;
  const options = benchmark.complete();
  const { name, revision, dataType, chatTemplateDigest, systemPrompt, maskToken } = base.info;
  const { shots } = options;
  const drawn = shots > 0 ? { seed: options.seed, shotData } : {};
  return {
    version: VERSION,
    benchmark: { kind, template, items: items.length, data, shots, ...drawn },
    by,
    base: { name, revision, dataType, chatTemplateDigest, systemPrompt, maskToken },
    models: Object.fromEntries(
      models.map(({ name, scorer, identity }) => [name, { ...identity, ...scorer.configuration }]),
    ),
  };
}

/** A model's results, and how many of them were computed now. */
interface Answered {
  readonly items: readonly ItemResult[];
  readonly computed: number;
  readonly how: Readonly<Record<string, unknown>>;
}

async function askAll(
  { name, scorer }: AskedModel,
  items: readonly BenchmarkItem[],
  { itemsAtOnce, onProgress, signal }: CheckedRunBenchmark,
  results: Results,
): Promise<Answered> {
  const all = [...(await results.of(name))];
  checkOrder(all, items, name);
  const kept = all.length;
  onProgress?.({ model: name, done: kept, total: items.length });
  while (all.length < items.length) {
    if (signal?.aborted) throw cancelled("The benchmark", signal);
    const some = await scorer.score(items.slice(all.length, all.length + itemsAtOnce), signal);
    await results.add(name, some);
    all.push(...some);
    onProgress?.({ model: name, done: all.length, total: items.length });
  }
  return { items: all, computed: items.length - kept, how: scorer.configuration };
}

/** Results are kept in the order of the items, so that those of an interrupted call are the first ones. */
function checkOrder(kept: readonly ItemResult[], items: readonly BenchmarkItem[], model: string): void {
  const wrong = kept.findIndex(({ id }, index) => items[index]?.id !== id);
  if (wrong < 0) return;
  throw new LadError("invalid-file", `${model}.jsonl has another item in line ${wrong + 1} than the data.`, {
    option: "folder",
    remedy: "Give another folder, or delete this one.",
  });
}

function resultOf(
  { benchmark, base, by }: CheckedRunBenchmark,
  data: string,
  answered: ReadonlyMap<string, Answered>,
  configuration: RunConfiguration,
): BenchmarkResult {
  const reference = answered.get(REFERENCE) as Answered;
  const scores = [...answered].map(([name, each]) => [name, scoreOf(each, reference)] as const);
  const { [REFERENCE]: autoregressive, ...models } = Object.fromEntries(scores);
  return {
    benchmark: benchmark.kind,
    by,
    n: reference.items.length,
    shots: benchmark.complete().shots,
    data,
    base: { name: base.info.name, revision: base.info.revision },
    models,
    autoregressive: autoregressive as BenchmarkScore,
    configuration,
  };
}

function scoreOf({ items, computed, how }: Answered, reference: Answered): BenchmarkScore {
  const hits = items.map(({ correct }) => correct);
  const byLikelihood = items.some(({ logLikelihoods }) => logLikelihoods !== undefined);
  return {
    accuracy: wilson(hits),
    accuracyByCharacters: byLikelihood
      ? wilson(items.map((item) => item.correctByCharacters === true))
      : undefined,
    accuracyByBytes: byLikelihood ? wilson(items.map((item) => item.correctByBytes === true)) : undefined,
    difference: newcombe(
      hits,
      reference.items.map(({ correct }) => correct),
    ),
    unread: items.filter(({ read }) => read === null).length,
    cut: items.filter(({ cutTokens }) => cutTokens !== undefined).length,
    computed,
    how,
    items,
  };
}
