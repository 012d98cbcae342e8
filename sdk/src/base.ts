import { Adapter } from "./adapter.js";
import { check } from "./checks/check.js";
import { nearest } from "./checks/nearest.js";
import type { Client } from "./client.js";
import { openFolder } from "./data/adapter-files.js";
import { openDataset } from "./data/data.js";
import { decodeSequences, encodeTexts, type Rendered, renderChat } from "./data/text.js";
import { invalidOption } from "./errors.js";
import type { PreparedExample } from "./method/prepared-example.js";
import { Model } from "./model.js";
import {
  type AdapterOptions,
  adapterOptions,
  type BaseOptions,
  baseOptions,
  type CallOptions,
  type ChatMessage,
  callOptions,
  checkExamples,
  checkPrepare,
  checkpointName,
  type DataSource,
  type Dataset,
  dataSourceSchema,
  type ExamplesOptions,
  messagesSchema,
  type PrepareOptions,
  type TextOptions,
  textOptions,
} from "./options.js";
import { makingAdapter, newId } from "./runs/making.js";
import { prepare } from "./runs/training.js";
import {
  type AdapterInfo,
  AdaptersService,
  type BaseInfo,
  DATA_TYPE,
  DataService,
  fromAdapter,
  fromBase,
  fromPrepared,
  type LoadBaseResponse,
  present,
  toWindow,
  type WindowReport,
  WorkerService,
} from "./wire.js";

/** A prompt as token ids, and the right answer. */
export interface Question {
  /** The prompt. */
  readonly ids: number[];
  /** The right answer, as text. */
  readonly reference: string;
}

/** A frozen base model, resident in the worker. It samples and scores by itself, and carries any number of adapters. */
export class Base extends Model {
  /** What the worker tells of it. */
  readonly info: BaseInfo;
  readonly #pieces = new Map<number, string>();

  constructor(client: Client, info: BaseInfo) {
    super(client, info, "");
    this.info = info;
  }

  /** The base's id on the worker. */
  get id(): string {
    return this.info.id;
  }

  /** The name that it was loaded by. */
  get name(): string {
    return this.info.name;
  }

  /** The token that stands for what is hidden. */
  get maskTokenId(): number {
    return this.info.maskTokenId;
  }

  /** What answers learn to end with. */
  get eosTokenId(): number {
    return this.info.eosTokenId;
  }

  /** Every token that ends an answer. */
  get stopTokenIds(): readonly number[] {
    return this.info.stopTokenIds;
  }

  /**
   * A new adapter: A drawn from the seed, B = 0, so that it begins as the base.
   *
   * @throws LadError `invalid-option`, naming the base's limits, before anything is asked of the worker
   */
  async createAdapter(options: AdapterOptions): Promise<Adapter> {
    const { rank, alpha = rank, targets, dropout, seed, signal, timeoutMs } = check(adapterOptions, options);
    this.#checkAdapter(rank, targets);
    const spec = { rank, alpha, targets: [...targets], dropout, seed };
    const request = { baseId: this.id, spec, adapterId: newId("adapter") };
    const client = this.client.within(timeoutMs);
    const send = () => client.call(AdaptersService.createAdapter, request, { signal, idempotent: true });
    const reply = await makingAdapter(this.client, request.adapterId, send, signal);
    return this.#adapter(fromAdapter(present(reply.adapter, "an adapter")));
  }

  /**
   * A new adapter from a folder of this machine in PEFT's format, without an optimizer's state.
   *
   * @throws LadError `not-found`, `invalid-file`
   */
  async loadAdapter(folder: string, options: CallOptions = {}): Promise<Adapter> {
    const { signal, timeoutMs } = check(callOptions, options);
    const adapterId = newId("adapter");
    const parts = () => uploadOf(this.id, adapterId, folder);
    const client = this.client.within(timeoutMs);
    const send = () => client.upload(AdaptersService.uploadAdapter, parts, { signal });
    const reply = await makingAdapter(this.client, adapterId, send, signal);
    return this.#adapter(fromAdapter(present(reply.adapter, "an adapter")));
  }

  /**
   * A new adapter with its optimizer from the worker's store.
   *
   * @throws LadError `not-found`, `invalid-file`
   */
  async loadCheckpoint(name: string, options: CallOptions = {}): Promise<Adapter> {
    const { signal, timeoutMs } = check(callOptions, options);
    const adapterId = newId("adapter");
    const client = this.client.within(timeoutMs);
    const request = { baseId: this.id, name: check(checkpointName, name, "name"), adapterId };
    const send = () => client.call(AdaptersService.loadCheckpoint, request, { signal, idempotent: true });
    const reply = await makingAdapter(this.client, adapterId, send, signal);
    return this.#adapter(fromAdapter(present(reply.adapter, "an adapter")));
  }

  /**
   * The token ids of a text, without special tokens of the tokenizer's own. Those that the text writes out are text, unless
   * `allowSpecial` is given: so what a user typed cannot end a turn, and what was rendered elsewhere can still be encoded.
   */
  async encode(text: string, options: TextOptions = {}): Promise<readonly number[]> {
    const { timeoutMs, ...settings } = check(textOptions, options);
    const [ids] = await encodeTexts(this.client.within(timeoutMs), this.id, [text], settings);
    return present(ids, "EncodeResponse.results");
  }

  /** The text of token ids; special tokens are left out. */
  async decode(ids: ArrayLike<number>, options: CallOptions = {}): Promise<string> {
    const { signal, timeoutMs } = check(callOptions, options);
    const [text] = await decodeSequences(this.client.within(timeoutMs), this.id, [ids], false, signal);
    return present(text, "DecodeResponse.texts");
  }

  /** Each token's own text, special tokens included, for showing a canvas: asked for once a token. */
  async pieces(ids: ArrayLike<number>, options: CallOptions = {}): Promise<string[]> {
    const { signal, timeoutMs } = check(callOptions, options);
    const wanted = Array.from(ids);
    const unknown = [...new Set(wanted)].filter((id) => !this.#pieces.has(id));
    if (unknown.length > 0) {
      const single = unknown.map((id) => [id]);
      const texts = await decodeSequences(this.client.within(timeoutMs), this.id, single, true, signal);
      unknown.forEach((id, i) => {
        this.#pieces.set(id, texts[i] ?? "");
      });
    }
    return wanted.map((id) => this.#pieces.get(id) ?? "");
  }

  /**
   * A chat through the model's own template, as a prompt that the assistant's answer follows. Special tokens that the messages
   * write out are text, unless `allowSpecial` is given.
   *
   * @throws LadError `invalid-data` for a chat that the template refuses, or in which it takes such a token apart
   */
  async render(messages: string | readonly ChatMessage[], options: TextOptions = {}): Promise<Rendered> {
    const { timeoutMs, ...settings } = check(textOptions, options);
    const client = this.client.within(timeoutMs);
    return renderChat(client, this.id, check(messagesSchema, messages, "messages"), settings);
  }

  /**
   * Brings examples to the worker, once, and names them by their content: what every call that takes data does by itself.
   *
   * @throws LadError `not-found` for a missing file, `invalid-data` with the line of an example that cannot be read
   */
  async dataset(data: DataSource, options: CallOptions = {}): Promise<Dataset> {
    const { signal, timeoutMs } = check(callOptions, options);
    return openDataset(this.client.within(timeoutMs), check(dataSourceSchema, data, "data"), signal);
  }

  /**
   * Windows a data set and says what became of its examples.
   *
   * @throws LadError `invalid-data` with the line of an example that cannot be read, or does not fit with `tooLong: "error"`
   */
  async prepare(data: DataSource, options: PrepareOptions = {}): Promise<WindowReport> {
    const { source, window, signal, timeoutMs } = checkPrepare(data, options);
    const client = this.client.within(timeoutMs);
    const dataset = await openDataset(client, source, signal);
    return prepare(client, this.id, dataset, window, signal);
  }

  /** The prepared examples themselves, in the order of their rows. */
  async *examples(
    data: DataSource,
    options: ExamplesOptions = {},
  ): AsyncGenerator<PreparedExample, void, undefined> {
    const { source, window, offset, limit, signal, timeoutMs } = checkExamples(data, options);
    const client = this.client.within(timeoutMs);
    const { id: datasetId } = await openDataset(client, source, signal);
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

  /** Examples as questions with their right answers, for `evaluate`: prompts as token ids, answers as text. */
  async questions(data: DataSource, options: ExamplesOptions = {}): Promise<Question[]> {
    const questions: { ids: number[]; answer: number[] }[] = [];
    for await (const { ids, answer, tail } of this.examples(data, { ...options, padToWindow: false })) {
      const start = answer.indexOf(1);
      questions.push({
        ids: ids.slice(0, start),
        answer: ids.filter((_, i) => i >= start && answer[i] === 1 && tail[i] !== 1),
      });
    }
    const answers = questions.map(({ answer }) => answer);
    const client = this.client.within(options.timeoutMs);
    const texts = await decodeSequences(client, this.id, answers, false, options.signal);
    return questions.map(({ ids }, i) => ({ ids, reference: texts[i] ?? "" }));
  }

  /**
   * Drops the base from the worker's memory. Runs that were cancelled, and use it still, are waited for.
   *
   * @throws LadError `invalid-state` while adapters or runs use it
   */
  async unload(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    const client = this.client.within(timeoutMs);
    await client.endings(signal);
    await client.call(WorkerService.unloadBase, { baseId: this.id }, { signal });
  }

  #adapter(info: AdapterInfo): Adapter {
    return new Adapter(this.client, this, info);
  }

  #checkAdapter(rank: number, targets: readonly string[]): void {
    const { maxRank, projections, name } = this.info;
    if (rank > maxRank) {
      const remedy = `Give an integer from 1 to ${maxRank}.`;
      throw invalidOption("rank", rank, `the base ${name} takes at most ${maxRank}`, remedy);
    }
    for (const [index, target] of targets.entries()) {
      const option = `targets[${index}]`;
      if (targets.indexOf(target) !== index) {
        throw invalidOption(option, target, "it is there twice", "Name each projection once.");
      }
      if (projections.includes(target)) continue;
      const guess = nearest(target, projections);
      const known = `${name} has ${projections.join(", ")}.`;
      const remedy = guess === undefined ? known : `Did you mean ${guess}? ${known}`;
      throw invalidOption(option, target, "there is no such projection", remedy);
    }
  }
}

/** Loads a base, or finds it resident. */
export async function loadBase(client: Client, name: string, options: BaseOptions): Promise<Base> {
  const { dataType, onProgress, signal, timeoutMs, systemPrompt, ...given } = check(baseOptions, options);
  if (typeof name !== "string" || name === "") {
    const remedy = "Give stub, tiny, smollm2-135m, a hub id, or a folder of the worker's machine.";
    throw invalidOption("name", name, "it must name a base", remedy);
  }
  const request = { name, ...given, dataType: DATA_TYPE[dataType], systemPrompt };
  let base: BaseInfo | undefined;
  for await (const { update } of client
    .within(timeoutMs)
    .stream(WorkerService.loadBase, request, { signal })) {
    base = note(update, onProgress) ?? base;
  }
  for (const warning of base?.warnings ?? []) client.warn(`The base ${name}: ${warning}`);
  return new Base(client, present(base, "a base"));
}

function note(
  update: LoadBaseResponse["update"],
  onProgress: BaseOptions["onProgress"],
): BaseInfo | undefined {
  if (update?.$case === "base") return fromBase(update.value);
  if (update === undefined) return undefined;
  const { phase, doneBytes, totalBytes } = update.value;
  onProgress?.({ phase, doneBytes: Number(doneBytes), totalBytes: Number(totalBytes) });
  return undefined;
}

/** What will come first, then the files. */
async function* uploadOf(baseId: string, adapterId: string, folder: string) {
  const { files, pieces } = await openFolder(folder);
  yield { part: { $case: "header" as const, value: { baseId, adapterId, files: [...files] } } };
  for await (const piece of pieces()) yield { part: { $case: "piece" as const, value: piece } };
}
