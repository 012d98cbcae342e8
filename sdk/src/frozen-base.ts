import { check } from "./checks/check.js";
import type { Client } from "./client.js";
import { openDataset } from "./data/data.js";
import { downloadExamples } from "./data/downloads.js";
import { inspect } from "./data/inspecting.js";
import { type MixedData, mix } from "./data/mixing.js";
import { TokenPieces } from "./data/pieces.js";
import { readRows } from "./data/rows.js";
import { decodeSequences, encodeTexts, type Rendered, renderChat } from "./data/text.js";
import { type WrittenAnswers, writeAnswers } from "./data/written-answers.js";
import { ar } from "./method/policies/registered.js";
import type { PreparedExample } from "./method/prepared-example.js";
import { Model } from "./model.js";
import { type Row, type RowSource, rowSourceSchema } from "./options/data/rows.js";
import {
  type CallOptions,
  type ChatMessage,
  type CheckedExamples,
  type CheckedSource,
  callOptions,
  checkExamples,
  checkInspect,
  checkPrepare,
  checkSource,
  checkWriteAnswers,
  type DataSource,
  type Dataset,
  type DecodeAllOptions,
  decodeAllOptions,
  type EncodeOptions,
  type Example,
  type ExamplesOptions,
  encodeOptions,
  type InspectOptions,
  type JsonlSource,
  type Mixture,
  messagesSchema,
  mixtureSource,
  type PiecesOptions,
  type PrepareOptions,
  piecesOptions,
  type TextOptions,
  textOptions,
  type WriteAnswersOptions,
} from "./options.js";
import { prepare } from "./runs/training.js";
import {
  type BaseInfo,
  DataService,
  fromPrepared,
  type Inspection,
  present,
  toWindow,
  type WindowReport,
} from "./wire.js";

/** A question: its prompt as token ids, and the right answer. */
export interface Question {
  /** The prompt. */
  readonly ids: number[];
  /** The right answer, as text. */
  readonly reference: string;
}

/** A frozen base model, resident in the worker: it tokenizes text, prepares data, and samples and scores without an adapter. */
export class FrozenBase extends Model {
  /** What the worker knows about the base. */
  readonly info: BaseInfo;
  readonly #pieces = { shown: new TokenPieces(), plain: new TokenPieces() };

  /** @internal */
  constructor(client: Client, info: BaseInfo) {
    super(client, info, "");
    this.info = info;
  }

  /** The base's id on the worker. */
  get id(): string {
    return this.info.id;
  }

  /** The name under which it was loaded. */
  get name(): string {
    return this.info.name;
  }

  /** The token that stands for a hidden token. */
  get maskTokenId(): number {
    return this.info.maskTokenId;
  }

  /** The token with which training answers end. */
  get eosTokenId(): number {
    return this.info.eosTokenId;
  }

  /** Whether it answers by denoising, as LLaDA or a model with an adapter in its weights; else it writes from left to right. */
  get denoises(): boolean {
    return (this.info.attention ?? "causal") !== "causal";
  }

  /** Every token that ends an answer. */
  get stopTokenIds(): readonly number[] {
    return this.info.stopTokenIds;
  }

  /**
   * The token ids of a text; the tokenizer adds no special tokens unless `addSpecial` is given. Special tokens that the text writes out are encoded as plain
   * text, so that a user's input cannot end a turn. With `allowSpecial` they are special tokens, as rendered text needs.
   */
  async encode(text: string, options: EncodeOptions = {}): Promise<readonly number[]> {
    const [ids] = await this.encodeAll([text], options);
    return present(ids, "EncodeResponse.results");
  }

  /** The token ids of each of many texts, as `encode` gives them. */
  async encodeAll(texts: readonly string[], options: EncodeOptions = {}): Promise<(readonly number[])[]> {
    const { timeoutMs, ...settings } = check(encodeOptions, options);
    return encodeTexts(this.client.within(timeoutMs), this.id, texts, settings);
  }

  /**
   * Rows with all of their columns, whatever they are: of a list, a file of this machine, or a split of the hub that the worker reads.
   *
   * @throws LadError `not-found`, `invalid-data` with the line of a row that is no JSON object
   */
  async rows(data: RowSource, options: CallOptions = {}): Promise<readonly Row[]> {
    const { signal, timeoutMs } = check(callOptions, options);
    return readRows(this.client.within(timeoutMs), check(rowSourceSchema, data, "data"), signal);
  }

  /** The text of token ids, without special tokens. */
  async decode(ids: ArrayLike<number>, options: CallOptions = {}): Promise<string> {
    const { signal, timeoutMs } = check(callOptions, options);
    const [text] = await decodeSequences(this.client.within(timeoutMs), this.id, [ids], false, signal);
    return present(text, "DecodeResponse.texts");
  }

  /** The text of each of many sequences of token ids, as `decode` gives them; with `special` the special tokens have their texts. */
  async decodeAll(
    sequences: readonly ArrayLike<number>[],
    options: DecodeAllOptions = {},
  ): Promise<string[]> {
    const { special, signal, timeoutMs } = check(decodeAllOptions, options);
    return decodeSequences(this.client.within(timeoutMs), this.id, sequences, special, signal);
  }

  /**
   * Each token's own text, special tokens included unless `special` is false, for showing a canvas: joined they are the text. Of a letter
   * that several tokens make up the last one has the whole. What is decoded is cached.
   */
  async pieces(ids: ArrayLike<number>, options: PiecesOptions = {}): Promise<string[]> {
    const { special, signal, timeoutMs } = check(piecesOptions, options);
    const client = this.client.within(timeoutMs);
    const known = special ? this.#pieces.shown : this.#pieces.plain;
    return known.of(Array.from(ids), (sequences) =>
      decodeSequences(client, this.id, sequences, special, signal),
    );
  }

  /**
   * Renders a chat with the model's template, as a prompt for the assistant's answer. An assistant message last begins that answer: its
   * text stands at the prompt's end, encoded by itself, as answers are in training. Special tokens that the messages write out are encoded
   * as plain text, unless `allowSpecial` is given.
   *
   * @throws LadError `invalid-data` for a chat that the template rejects, or in which it changes such a written-out token
   */
  async render(messages: string | readonly ChatMessage[], options: TextOptions = {}): Promise<Rendered> {
    const { timeoutMs, ...settings } = check(textOptions, options);
    const client = this.client.within(timeoutMs);
    return renderChat(client, this.id, check(messagesSchema, messages, "messages"), settings);
  }

  /**
   * Uploads examples to the worker, unless it has them, and identifies them by their content. Every call that takes data does
   * this itself.
   *
   * @throws LadError `not-found` for a missing file, `invalid-data` with the line of an example that cannot be read
   */
  async dataset(data: DataSource, options: CallOptions = {}): Promise<Dataset> {
    const { signal, timeoutMs } = check(callOptions, options);
    return openDataset(this.client.within(timeoutMs), checkSource(data), signal, this.id);
  }

  /**
   * Mixes data on the worker and reports what became of each source. Every call that takes data mixes by itself; the same mixture is
   * made once.
   *
   * @throws LadError `invalid-data` for a source of which nothing is left, `unavailable` for near-duplicates without the worker's extra
   *   `data`
   */
  async mix(data: Mixture, options: CallOptions = {}): Promise<MixedData> {
    const { signal, timeoutMs } = check(callOptions, options);
    const { mixture } = check(mixtureSource, data, "data");
    return mix(this.client.within(timeoutMs), mixture, this.id, signal);
  }

  /**
   * Reports what a training run would see of its data, without a forward: lengths, what is dropped and why, what is corrupted and
   * supervised in the first epoch, whether the end of an answer is learnt, and some examples as they are shown. The same call
   * gives the same report.
   *
   * @throws LadError `invalid-data` as `prepare` does
   */
  async inspect(data: DataSource, options: InspectOptions = {}): Promise<Inspection> {
    const { source, asked, signal, timeoutMs } = checkInspect(data, options);
    const client = this.client.within(timeoutMs);
    const { id: datasetId } = await openDataset(client, source, signal, this.id);
    return inspect(client, { baseId: this.id, datasetId }, asked, signal);
  }

  /**
   * Cuts a data set to token windows and reports how many examples fit.
   *
   * @throws LadError `invalid-data` with the line of an example that cannot be read, or that is too long with `tooLong: "error"`
   */
  async prepare(data: DataSource, options: PrepareOptions = {}): Promise<WindowReport> {
    const { source, window, signal, timeoutMs } = checkPrepare(data, options);
    const client = this.client.within(timeoutMs);
    const dataset = await openDataset(client, source, signal, this.id);
    return prepare(client, this.id, dataset, window, signal);
  }

  /** Yields the prepared examples in the order of their rows. */
  async *examples(
    data: DataSource,
    options: ExamplesOptions = {},
  ): AsyncGenerator<PreparedExample, void, undefined> {
    const given = checkExamples(data, options);
    yield* this.#examples(this.client.within(given.timeoutMs), given);
  }

  async *#examples(
    client: Client,
    { source, window, offset, limit, signal }: CheckedExamples,
  ): AsyncGenerator<PreparedExample, void, undefined> {
    const { id: datasetId } = await openDataset(client, source, signal, this.id);
    const request = {
      baseId: this.id,
      datasetId,
      window: toWindow(window),
      offset: BigInt(offset),
      limit: BigInt(limit),
    };
    for await (const { examples } of client.stream(DataService.streamExamples, request, { signal })) {
      yield* examples.map(fromPrepared);
    }
  }

  /**
   * Has the base itself answer prompts, autoregressively, as data to train an adapter on that drafts for it:
   * `adapter.train({ data: written.data })`. What the folder has already is not computed again, also where an earlier call was
   * interrupted: answers are kept by base (name, revision, data type), prompts and settings.
   *
   * @throws LadError `invalid-option`, `not-found` for a missing file of prompts, `invalid-data` for a prompt that does not fit the base,
   *   `storage`, `cancelled`
   */
  async writeAnswers(options: WriteAnswersOptions): Promise<WrittenAnswers> {
    const given = checkWriteAnswers(options);
    const { temperature, topK, topP, signal } = given;
    const { answerTokens = Math.min(256, Math.floor(this.info.maxPositions / 2)) } = given;
    const draw = temperature === 0 ? {} : { temperature, topK, topP };
    const how = { policy: ar(), answerTokens, ...draw, frames: false, signal };
    return writeAnswers(
      {
        info: this.info,
        prompts: (examples) => this.#prompts(examples, signal),
        answer: (canvases) => this.sampleMany({ canvases, ...how }).result(),
      },
      { ...given, prompts: await this.#local(given.prompts, signal), answerTokens },
    );
  }

  /** A source whose text is on this machine as it is; any other one is read back from the worker. */
  async #local(
    source: CheckedSource,
    signal: AbortSignal | undefined,
  ): Promise<readonly Example[] | JsonlSource> {
    if (Array.isArray(source)) return source as readonly Example[];
    if ("jsonl" in source && source.fields === undefined) return source;
    const { id } = await openDataset(this.client, source, signal, this.id);
    return downloadExamples(this.client, id, signal);
  }

  async #prompts(examples: readonly Example[], signal: AbortSignal | undefined): Promise<number[][]> {
    const prompts: number[][] = [];
    const whole = { windowTokens: this.info.maxPositions, padToWindow: false, tooLong: "error" } as const;
    for await (const { ids, answer } of this.examples(examples, { ...whole, signal })) {
      prompts.push(ids.slice(0, answer.indexOf(1)));
    }
    return prompts;
  }

  /** Turns examples into questions with right answers for `evaluate`: prompts as token ids, answers as text. */
  async questions(data: DataSource, options: ExamplesOptions = {}): Promise<Question[]> {
    const questions: { ids: number[]; answer: number[] }[] = [];
    const given = checkExamples(data, { ...options, padToWindow: false });
    const client = this.client.within(given.timeoutMs);
    for await (const { ids, answer, tail } of this.#examples(client, given)) {
      const start = answer.indexOf(1);
      questions.push({
        ids: ids.slice(0, start),
        answer: ids.filter((_, i) => i >= start && answer[i] === 1 && tail[i] !== 1),
      });
    }
    const answers = questions.map(({ answer }) => answer);
    const texts = await decodeSequences(client, this.id, answers, false, given.signal);
    return questions.map(({ ids }, i) => ({ ids, reference: texts[i] ?? "" }));
  }
}
