import type { Client } from "./client.js";
import { decodeSequences, encodeTexts, promptIds } from "./data/text.js";
import { invalidOption } from "./errors.js";
import { predictCanvases } from "./evaluation/predicting.js";
import { cutAtStop, endOfAnswer, firstStop } from "./method/answer-end.js";
import type { AnswerState } from "./method/answer-state.js";
import type { DenoisingAttention } from "./options/attention.js";
import type { CheckedCanvas } from "./options/primitive-checks.js";
import type { AsTrained } from "./runs/as-trained.js";
import { beginningOf } from "./runs/beginning.js";
import type { SampledModel, SamplingTarget } from "./runs/sampling.js";
import { type Answer, type BaseInfo, inJson, type Prediction, present, type StopReasonName } from "./wire.js";

/** A canvas's prediction, with the input that it was made from. */
export interface CanvasPrediction extends Prediction {
  /** The prediction's number, from 0. */
  readonly iteration: number;
  /** The number of predictions after which the canvas is settled. */
  readonly iterations: number;
  /** The seed of the draws; a policy may use it for its own. In JSON in decimal digits. */
  readonly seed: bigint;
  /** The base's mask token. */
  readonly maskTokenId: number;
  /** The tokens that end an answer. */
  readonly stopTokenIds: readonly number[];
  /** What fills the tail behind them, as the adapter was trained; none: the stop tokens. */
  readonly padTokenIds: readonly number[];
  /** The answer positions of the input. */
  readonly input: CanvasInput;
}

/** The answer's part of a canvas. */
export interface CanvasInput {
  /** Token ids; those at masked positions do not matter. */
  readonly ids: ArrayLike<number>;
  /** True (or 1) at masked positions. Default: none is masked. */
  readonly masked?: ArrayLike<boolean | number> | undefined;
}

/** The number of consecutive equal samples that settle a canvas. */
const STABLE = 3;

/**
 * A canvas for your own sampler: a prompt and answer positions, which are all MASK at first.
 *
 * One round is `canvas.write(policy(await canvas.predict()))`. The masked positions are kept apart from the token ids, since the
 * mask token may also be ordinary text.
 */
export class Canvas {
  readonly #client: Client;
  readonly #target: SamplingTarget;
  readonly #asTrained: AsTrained;
  readonly #base: BaseInfo;
  readonly #options: CheckedCanvas;
  #prompt: readonly number[] | undefined;
  #how: { readonly attention: DenoisingAttention; readonly padTokenIds: readonly number[] } | undefined;
  readonly #first: AnswerState & { readonly pinned: readonly boolean[] };
  #ids: readonly number[];
  #masked: readonly boolean[];
  #predicted: readonly number[] = [];
  #sampled: readonly number[] = [];
  #iteration = 0;
  #same = 0;

  /** @internal */
  constructor(client: Client, { target, base, asTrained }: SampledModel, options: CheckedCanvas) {
    this.#client = client;
    this.#target = target;
    this.#asTrained = asTrained;
    this.#base = base;
    this.#options = options;
    const { answerTokens, startTokens = answerTokens, draft = [], pinned } = options;
    const parts = draft.map((id, p) => ({ tokens: 1, ids: [id], pinned: pinned[p] === true }));
    const first = beginningOf(parts, startTokens, base, false);
    const { ids, masked, kept, confidences } = first;
    this.#first = { ids, masked, kept, confidences, pinned: first.pinned };
    this.#ids = ids;
    this.#masked = masked;
  }

  /** The answer at the beginning, with its pins: the first state of a loop of policy steps. */
  get beginning(): AnswerState {
    return this.#first;
  }

  /** Token ids at the answer positions of the next input, MASK included. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Whether each answer position is masked. */
  get masked(): readonly boolean[] {
    return this.#masked;
  }

  /** Predictions made so far. */
  get iteration(): number {
    return this.#iteration;
  }

  /**
   * Whether `iterations` predictions were made, or three consecutive rounds gave the same answer (the written tokens, and the
   * predicted ones at masked positions).
   */
  get settled(): boolean {
    const { iterations, earlyStop } = this.#options;
    return this.#iteration >= iterations || (earlyStop && this.#same >= STABLE);
  }

  /** The prompt's token ids. The worker renders them at the first call. */
  async prompt(): Promise<readonly number[]> {
    if (this.#prompt === undefined) {
      this.#prompt = await promptIds(this.#client, this.#base.id, this.#options, this.#options.signal);
    }
    return this.#prompt;
  }

  /** Predicts a token for every answer position with one forward. Only `write` changes the canvas itself. */
  async predict(): Promise<CanvasPrediction> {
    const { seed = 0n, iterations } = this.#options;
    const { maskTokenId, stopTokenIds } = this.#base;
    const prompt = await this.prompt();
    this.#how ??= await this.#asTrainedHere();
    const { attention, padTokenIds } = this.#how;
    const input = { ids: [...this.#ids], masked: [...this.#masked] };
    const stopFrom = firstStop(this.#ids, this.#first.pinned, [...stopTokenIds, ...padTokenIds]);
    const [predicted] = await predictCanvases(this.#client, this.#target, {
      ...this.#options,
      canvases: [{ ids: [...prompt, ...this.#ids], answerStart: prompt.length, seed, stopFrom }],
      iteration: this.#iteration,
      attention,
      guidanceScale: 0,
    });
    const prediction = present(predicted, "a prediction");
    this.#predicted = prediction.ids;
    const iteration = this.#iteration++;
    const made = { iteration, iterations, seed, maskTokenId, stopTokenIds, padTokenIds, input };
    return inJson({ ...prediction, ...made });
  }

  /**
   * Sets the next input: at least as many positions as before, at most `answerTokens`. Pinned positions keep their tokens, whatever is
   * written there.
   *
   * @throws LadError `invalid-option`
   */
  write({ ids, masked }: CanvasInput): void {
    this.#checkLengths(ids.length, masked?.length ?? ids.length);
    const { ids: first, pinned } = this.#first;
    this.#masked = Array.from(ids, (_, i) => Boolean(masked?.[i]) && !pinned[i]);
    this.#ids = Array.from(ids, (id, i) => {
      if (pinned[i]) return first[i] ?? id;
      return this.#masked[i] ? this.#base.maskTokenId : id;
    });
    const before = this.#sampled;
    this.#sampled = this.#ids
      .slice(0, this.#predicted.length || this.#ids.length)
      .map((id, i) => (this.#masked[i] ? (this.#predicted[i] ?? id) : id));
    this.#same = isEqual(before, this.#sampled) ? this.#same + 1 : 1;
  }

  /** The present answer: the written tokens, and the last predicted ones at masked positions. */
  async answer(): Promise<Answer> {
    const canvasIds = this.#ids.map((id, i) => (this.#masked[i] ? (this.#predicted[i] ?? id) : id));
    const answered = canvasIds.slice(0, endOfAnswer(canvasIds, this.#base.stopTokenIds));
    const { ids, text, stop } = await cutAtStop(answered, this.#options.stop ?? [], (some) =>
      this.#text(some),
    );
    return {
      type: "answer",
      canvas: 0,
      text,
      ids,
      canvasIds,
      iterations: this.#iteration,
      stopped: stop === undefined ? this.#stopped(ids.length) : "stop",
      ...(stop !== undefined && { stop }),
      pinned: this.#first.pinned.flatMap((is, p) => (is ? [p] : [])),
    };
  }

  async #text(ids: readonly number[]): Promise<string> {
    const [text] = await decodeSequences(this.#client, this.#base.id, [ids], false, this.#options.signal);
    return present(text, "DecodeResponse.texts");
  }

  #stopped(answered: number): StopReasonName {
    if (answered === this.#options.answerTokens) return "length";
    return this.#same >= STABLE && this.#options.earlyStop ? "settled" : "iterations";
  }

  async #asTrainedHere(): Promise<{ attention: DenoisingAttention; padTokenIds: readonly number[] }> {
    const { attention: given, signal } = this.#options;
    const { attention, padTokens } = await this.#asTrained.predicting(given, signal);
    if (padTokens.length === 0) return { attention, padTokenIds: [] };
    const how = { allowSpecial: true, signal };
    const padTokenIds = (await encodeTexts(this.#client, this.#base.id, padTokens, how)).flat();
    return { attention, padTokenIds };
  }

  #checkLengths(ids: number, masked: number): void {
    const { answerTokens } = this.#options;
    if (masked !== ids) {
      const problem = `it has ${masked} entries and ids has ${ids}`;
      throw invalidOption("masked", `${masked} entries`, problem, "Give one for each position.");
    }
    if (ids >= this.#ids.length && ids <= answerTokens) return;
    const problem = `the canvas has ${this.#ids.length} of ${answerTokens} answer positions`;
    throw invalidOption("ids", `${ids} entries`, problem, "Give one for each answer position.");
  }
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
