import { Canvas } from "./canvas.js";
import type { Client } from "./client.js";
import { encodeTexts, promptIds } from "./data/text.js";
import { type Evaluation, evaluateModel } from "./evaluation/evaluation.js";
import { fitsUnderBase } from "./evaluation/gap-lengths.js";
import { type LossCurve, lossCurveOf } from "./evaluation/loss-curve.js";
import { predictCanvases } from "./evaluation/predicting.js";
import { scoreItems } from "./evaluation/scoring.js";
import { type ExampleLoss, validateModel } from "./evaluation/validating.js";
import { checkLossCurve, type LossCurveOptions } from "./options/evaluation/loss-curve.js";
import { checkEvaluate, type EvaluateOptions } from "./options/evaluation.js";
import { type CheckedScoreItem, checkCanvas, checkPredict, checkScore } from "./options/primitive-checks.js";
import type { CanvasOptions, PredictOptions, ScoreOptions } from "./options/primitives.js";
import {
  type CheckedSampling,
  checkSample,
  checkSampleMany,
  checkValidate,
  type SampleManyOptions,
  type SampleOptions,
  type ValidateOptions,
} from "./options.js";
import { AsTrained } from "./runs/as-trained.js";
import { type SampledModel, SampleRun, SamplingRun, type SamplingTarget } from "./runs/sampling.js";
import type { AdapterClaims, BaseInfo, LossReport, Prediction, Score, WindowReport } from "./wire.js";

/** The losses on a data set, and the report of how its examples were cut to windows. */
export interface ValidationResult {
  /** The losses. */
  readonly report: LossReport;
  /** How many examples fit the window. */
  readonly data: WindowReport;
  /** Of each example that fits, in order, where `perExample` asked for them; else none. */
  readonly examples: readonly ExampleLoss[];
}

/** A model that predicts tokens: a base, an adapter on it, or an adapter's snapshot. */
export abstract class Model {
  protected readonly client: Client;
  protected readonly target: SamplingTarget;
  protected readonly asTrained: AsTrained;
  readonly #base: BaseInfo;

  /** @internal */
  constructor(client: Client, base: BaseInfo, adapterId: string) {
    this.client = client;
    this.#base = base;
    this.target = { baseId: base.id, adapterId };
    this.asTrained = new AsTrained(client.warn, base, (signal) => this.claims(signal));
  }

  /**
   * Answers one prompt: iterate over the run for its frames, or await its `result()`. The run starts when it is first read, and
   * uses the weights of that moment throughout.
   *
   * @throws LadError `invalid-option`
   */
  sample(options: SampleOptions): SampleRun {
    const sampling = checkSample(options, this.#isAdapted, this.client.warn);
    return new SampleRun(this.#run(sampling));
  }

  /**
   * Answers many prompts in one run. Each answer is the same as in a run of its own. Prompts without a seed draw different numbers; the
   * first of them draws the numbers of a run of its own.
   *
   * @throws LadError `invalid-option`
   */
  sampleMany(options: SampleManyOptions): SamplingRun {
    const sampling = checkSampleMany(options, this.#isAdapted, this.client.warn);
    return this.#run(sampling);
  }

  /**
   * Makes a canvas for your own sampler.
   *
   * @throws LadError `invalid-option`
   */
  canvas(options: CanvasOptions): Canvas {
    return new Canvas(this.client, this.#sampled, checkCanvas(options));
  }

  /**
   * Computes one forward over canvases: the primitive of every sampler.
   *
   * @throws LadError `invalid-option`
   */
  async predict(options: PredictOptions): Promise<Prediction[]> {
    const given = checkPredict(options);
    return predictCanvases(this.client.within(given.timeoutMs), this.target, given);
  }

  /**
   * Computes log-likelihoods of continuations: by default those of the model that reads from left to right, or those of a model that
   * denoises (`likelihood: pseudoLikelihood()`, `monteCarlo()`). An item's score does not depend on the others.
   *
   * @throws LadError `invalid-option`
   */
  async score(options: ScoreOptions): Promise<Score[]> {
    const { items, manner, signal, timeoutMs } = checkScore(options);
    const client = this.client.within(timeoutMs);
    const prompts = await Promise.all(items.map((item) => promptIds(client, this.#base.id, item, signal)));
    const continuations = await this.#continuationIds(client, items, signal);
    const sequences = items.map((_, i) => ({
      prompt: prompts[i] ?? [],
      continuation: continuations[i] ?? [],
      key: items[i]?.key,
    }));
    const { attention } =
      manner.attention === "causal" ? manner : await this.asTrained.predicting(manner.attention, signal);
    return scoreItems(client, this.target, sequences, { ...manner, attention }, signal);
  }

  /**
   * Answers questions and measures the answers: exact match with the references, perplexity and bits per byte under the base without
   * adapters or another, distinct n-grams, repeated trigrams, forwards; each with its number of items and a 95 % interval. An answer
   * does not depend on the other questions, nor on their order.
   *
   * @throws LadError `invalid-option`
   */
  evaluate(options: EvaluateOptions): Promise<Evaluation> {
    const given = checkEvaluate(options, this.#isAdapted, this.client.warn);
    return evaluateModel(this.client, this.#sampled, given);
  }

  /**
   * Computes the losses on a data set under noise that is fixed for each example, so that different models are comparable.
   *
   * @throws LadError `invalid-option`, `invalid-data`
   */
  async validate(options: ValidateOptions): Promise<ValidationResult> {
    const { timeoutMs, ...given } = checkValidate(options);
    const client = this.client.within(timeoutMs);
    return validateModel(client, this.target, given);
  }

  /**
   * Computes how well the model repairs each kind of corruption at each level: the CE of the corrupted tokens, under noise that is fixed for
   * each example, with its interval over the examples.
   *
   * @throws LadError `invalid-option`, `invalid-data`
   */
  async lossCurve(options: LossCurveOptions): Promise<LossCurve> {
    const { timeoutMs, ...given } = checkLossCurve(options);
    const { attention } = await this.asTrained.predicting(given.attention, given.signal);
    return lossCurveOf(this.client.within(timeoutMs), this.target, { ...given, attention });
  }

  /** How the model was trained last, as the worker knows it now; undefined for a base. */
  protected async claims(_signal: AbortSignal | undefined): Promise<AdapterClaims | undefined> {
    return undefined;
  }

  get #sampled(): SampledModel {
    return { target: this.target, base: this.#base, asTrained: this.asTrained };
  }

  #run(sampling: CheckedSampling): SamplingRun {
    const { signal } = sampling.spec;
    return new SamplingRun(this.client, this.#sampled, sampling, async (prompt, answers) =>
      fitsUnderBase(
        this.client,
        this.#base,
        await promptIds(this.client, this.#base.id, prompt, signal),
        answers,
        signal,
      ),
    );
  }

  get #isAdapted(): boolean {
    return this.target.adapterId !== "";
  }

  /** Encodes all texts with the same `allowSpecial` in one call. */
  async #continuationIds(
    client: Client,
    items: readonly CheckedScoreItem[],
    signal: AbortSignal | undefined,
  ): Promise<(readonly number[])[]> {
    const encoded = new Map<boolean, number[][]>();
    for (const allowSpecial of [false, true]) {
      const texts = items.flatMap((item) =>
        typeof item.continuation === "string" && item.allowSpecial === allowSpecial
          ? [item.continuation]
          : [],
      );
      if (texts.length === 0) continue;
      const settings = { allowSpecial, signal };
      encoded.set(allowSpecial, await encodeTexts(client, this.#base.id, texts, settings));
    }
    return items.map(({ continuation, allowSpecial }) =>
      typeof continuation === "string" ? (encoded.get(allowSpecial)?.shift() ?? []) : continuation,
    );
  }
}
