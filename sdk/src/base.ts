import { Adapter } from "./adapter.js";
import { check } from "./checks/check.js";
import { nearest } from "./checks/nearest.js";
import type { Client } from "./client.js";
import { openFolder } from "./data/adapter-files.js";
import { invalidOption } from "./errors.js";
import { FrozenBase } from "./frozen-base.js";
import {
  type AdapterOptions,
  adapterOptions,
  type BaseOptions,
  baseOptions,
  type CallOptions,
  callOptions,
  checkpointName,
  type LoadAdapterOptions,
  loadAdapterOptions,
} from "./options.js";
import { creatingAdapter, newId } from "./runs/creating.js";
import {
  type AdapterClaims,
  type AdapterInfo,
  AdaptersService,
  type BaseInfo,
  fromAdapter,
  fromBase,
  type pb,
  present,
  toDataType,
  WorkerService,
} from "./wire.js";

/** A frozen base model that carries any number of adapters. */
export class Base extends FrozenBase {
  /**
   * Creates an adapter: A is drawn from the seed, and B = 0, so that it begins equal to the base.
   *
   * @throws LadError `invalid-option`, naming the base's limits, before any call to the worker
   */
  async createAdapter(options: AdapterOptions): Promise<Adapter> {
    const given = check(adapterOptions, options);
    const { rank, alpha = rank, targets, dropout, seed, useRslora, signal, timeoutMs } = given;
    this.#checkAdapter(rank, targets);
    const spec = { rank, alpha, targets: [...targets], dropout, seed, useRslora };
    const request = { baseId: this.id, spec, adapterId: newId("adapter") };
    const client = this.client.within(timeoutMs);
    const send = () => client.call(AdaptersService.createAdapter, request, { signal });
    const reply = await creatingAdapter(this.client, request.adapterId, send, signal);
    return this.#adapter(fromAdapter(present(reply.adapter, "an adapter")));
  }

  /**
   * Creates an adapter from a folder of this machine in PEFT's format, without an optimizer's state. How it was trained is in its
   * `info.claims`, if its files say so; else `onWarning` is told what is assumed. A file of torch.save (`.pth`), as LAD's authors publish
   * their models, is read too, without running anything in it: its LoRA factors alone (docs/adapter-files.md).
   *
   * @throws LadError `not-found`, `invalid-file`; `invalid-state` if its files say that it was trained on another base, unless
   *   `allowOtherBase` is set
   */
  async loadAdapter(folder: string, options: LoadAdapterOptions = {}): Promise<Adapter> {
    const { allowOtherBase, signal, timeoutMs } = check(loadAdapterOptions, options);
    const adapterId = newId("adapter");
    const parts = () => uploadOf({ baseId: this.id, adapterId, allowOtherBase }, folder);
    const client = this.client.within(timeoutMs);
    const send = () => client.upload(AdaptersService.uploadAdapter, parts, { signal });
    const reply = await creatingAdapter(this.client, adapterId, send, signal);
    const info = fromAdapter(present(reply.adapter, "an adapter"));
    if (info.claims === undefined) this.#warnOfUnknownTraining();
    else this.#warnOfOtherBase(info.claims);
    return this.#adapter(info);
  }

  /**
   * Creates an adapter, with its optimizer, from a checkpoint in the worker's store.
   *
   * @throws LadError `not-found`, `invalid-file`
   */
  async loadCheckpoint(name: string, options: CallOptions = {}): Promise<Adapter> {
    const { signal, timeoutMs } = check(callOptions, options);
    const adapterId = newId("adapter");
    const client = this.client.within(timeoutMs);
    const request = { baseId: this.id, name: check(checkpointName, name, "name"), adapterId };
    const send = () => client.call(AdaptersService.loadCheckpoint, request, { signal });
    const reply = await creatingAdapter(this.client, adapterId, send, signal);
    return this.#adapter(fromAdapter(present(reply.adapter, "an adapter")));
  }

  /**
   * Drops the base from the worker's memory. If cancelled runs still use it, waits for them.
   *
   * @throws LadError `invalid-state` while adapters or runs use it
   */
  async unload(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    const client = this.client.within(timeoutMs);
    await client.endings(signal);
    await client.call(WorkerService.unloadBase, { baseId: this.id }, { signal });
  }

  #warnOfUnknownTraining(): void {
    this.client.warnOnce(
      "The adapter's files do not say how it was trained (there is no lad.json). It is taken to denoise with attention full, the " +
        `mask token ${this.info.maskToken} and the base's chat template; one that was trained to predict next tokens denoises only ` +
        "after training here.",
    );
  }

  #warnOfOtherBase(claims: AdapterClaims): void {
    const { name, revision } = this.info;
    if (claims.baseRevision === revision) return;
    const trained = `${claims.baseName} of revision ${claims.baseRevision}`;
    this.client.warn(`The adapter was trained on ${trained}, and is loaded onto ${name} of ${revision}.`);
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
  const request = { name, ...given, dataType: toDataType(dataType), systemPrompt };
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
  update: pb.worker.LoadBaseResponse["update"],
  onProgress: BaseOptions["onProgress"],
): BaseInfo | undefined {
  if (update?.$case === "base") return fromBase(update.value);
  if (update === undefined) return undefined;
  const { phase, doneBytes, totalBytes } = update.value;
  onProgress?.({ phase, doneBytes: Number(doneBytes), totalBytes: Number(totalBytes) });
  return undefined;
}

/** The messages of an upload: a header that declares the files, then their pieces. */
async function* uploadOf(header: Omit<pb.adapters.UploadHeader, "files">, folder: string) {
  const { files, pieces } = await openFolder(folder);
  yield { part: { $case: "header" as const, value: { ...header, files: [...files] } } };
  for await (const piece of pieces()) yield { part: { $case: "piece" as const, value: piece } };
}
