import { check } from "./checks/check.js";
import { filledText } from "./checks/fields.js";
import type { Client } from "./client.js";
import { openDataset } from "./data/data.js";
import { OF_A_MERGE } from "./data/folders/own-files.js";
import { writeFolder } from "./data/folders/write-folder.js";
import { type AdapterCheck, checkAdapter } from "./evaluation/adapter-check.js";
import type { FrozenBase } from "./frozen-base.js";
import { Model } from "./model.js";
import { type AdapterCheckOptions, checkAdapterCheck } from "./options/adapter-check.js";
import {
  type CheckedNoised,
  type CheckedSequences,
  checkForwardBackward,
  checkOptimStep,
} from "./options/primitive-checks.js";
import type { ForwardBackwardOptions, OptimStepOptions } from "./options/primitives.js";
import {
  type CallOptions,
  type CheckpointOptions,
  callOptions,
  checkpointName,
  checkpointOptions,
  checkTraining,
  type MergeOptions,
  mergeOptions,
  type PushOptions,
  pushOptions,
  type SaveOptions,
  saveOptions,
  type TrainingOptions,
} from "./options.js";
import { creatingAdapter, newId } from "./runs/creating.js";
import { Sequence } from "./runs/numbered-calls.js";
import { Saving } from "./runs/saving.js";
import type { ForwardBackwardResult, OptimStepResult } from "./runs/steps.js";
import { type TrainingRun, WorkerTraining } from "./runs/training.js";
import { LoopTraining } from "./runs/training-loop.js";
import { Snapshot, unlessGone } from "./snapshot.js";
import {
  type AdapterClaims,
  type AdapterInfo,
  AdaptersService,
  type BaseInfo,
  fromAdapter,
  fromFloat32Bytes,
  numberOf,
  pb,
  present,
  TrainingService,
  toDataType,
  toFloat32Bytes,
  toLoss,
  toNoise,
  toOptimizer,
  toWindow,
} from "./wire.js";

/** An adapter's files on a hub. */
export interface PushedAdapter {
  /** The address of the repository's page. */
  readonly url: string;
  /** The commit that has them. */
  readonly commit: string;
}

/** A LoRA adapter on a frozen base. It is trained, sampled, saved and dropped independently of all others. */
export class Adapter extends Model {
  /** The base that it belongs to. */
  readonly base: FrozenBase;
  #info: AdapterInfo;
  readonly #sequence: Sequence;

  /** @internal */
  constructor(client: Client, base: FrozenBase, info: AdapterInfo) {
    super(client, base.info, info.id);
    this.base = base;
    this.#info = info;
    this.#sequence = new Sequence(info.lastSequence, async () => (await this.refresh()).lastSequence);
  }

  /** The adapter's id on the worker, by which `runtime.adapter` finds it. */
  get id(): string {
    return this.#info.id;
  }

  /** The adapter's state when it was last read from the worker; see `refresh`. */
  get info(): AdapterInfo {
    return this.#info;
  }

  /** Reads the adapter's present steps and memory from the worker. */
  async refresh(options: CallOptions = {}): Promise<AdapterInfo> {
    const { signal, timeoutMs } = check(callOptions, options);
    const request = { adapterId: this.id };
    const client = this.client.within(timeoutMs);
    const reply = await client.call(AdaptersService.getAdapter, request, { signal });
    this.#info = fromAdapter(present(reply.adapter, "an adapter"));
    return this.#info;
  }

  /**
   * Trains the adapter. The run starts when its events are read or its `result()` is called. Leaving the loop over its events
   * cancels it, unless it is `detached`.
   *
   * @throws LadError `invalid-option`
   */
  train(options: TrainingOptions): TrainingRun {
    const given = checkTraining(options, this.client.warn);
    const { noise } = given;
    if (noise.kind === "custom") return new LoopTraining(this, given, this.client.warn);
    const target = { baseId: this.base.id, adapterId: this.id };
    return new WorkerTraining(this.client, target, given, noise, new Saving(this, given));
  }

  /**
   * Adds the gradient of Σ weight · CE to the adapter's gradients. The input is either sequences as given, or rows of a data
   * set, to which the worker applies noise and weights as in a run.
   *
   * @throws LadError `invalid-option`, `diverged`
   */
  async forwardBackward(options: ForwardBackwardOptions): Promise<ForwardBackwardResult> {
    const given = checkForwardBackward(options);
    const client = this.client.within(given.timeoutMs);
    const input = "data" in given ? await noised(client, given, this.base.id) : toSequences(given);
    const request = {
      adapterId: this.id,
      mode: numberOf(pb.training.AttentionMode, given.attention),
      input,
      microBatchTokens: given.microBatchTokens,
      gradientCheckpointing: given.gradientCheckpointing,
      cachePrompts: given.cachePrompts,
    };
    const reply = await this.#sequence.next((sequence) =>
      client.call(TrainingService.forwardBackward, { ...request, sequence }, { signal: given.signal }),
    );
    return {
      loss: reply.loss,
      tokens: Number(reply.tokens),
      supervisedTokens: Number(reply.supervisedTokens),
      ce: fromFloat32Bytes(reply.ce),
    };
  }

  /**
   * Makes one optimizer step with the accumulated gradients and clears them. Without gradients it steps on zeros.
   *
   * @throws LadError `invalid-option`, `diverged`
   */
  async optimStep(options: OptimStepOptions): Promise<OptimStepResult> {
    const { optimizer, learningRate, maxGradientNorm, signal, timeoutMs } = checkOptimStep(options);
    const client = this.client.within(timeoutMs);
    const request = {
      adapterId: this.id,
      optimizer: toOptimizer(optimizer),
      learningRate,
      maxGradientNorm,
    };
    const reply = await this.#sequence.next((sequence) =>
      client.call(TrainingService.optimStep, { ...request, sequence }, { signal }),
    );
    return { gradientNorm: reply.gradientNorm, step: Number(reply.step) };
  }

  /**
   * Reports how far the adapter moves its base: the divergence of their predictions at the masked answer positions behind a few
   * prompts, in the same attention mode. An adapter that does nothing, as every new one, has `moves: false` and 0 nats.
   *
   * @throws LadError `invalid-option`
   */
  check(options: AdapterCheckOptions = {}): Promise<AdapterCheck> {
    const given = checkAdapterCheck(options);
    const client = this.client.within(given.timeoutMs);
    return checkAdapter(client, this.target, this.asTrained, this.base.info, given);
  }

  protected override async claims(signal: AbortSignal | undefined): Promise<AdapterClaims | undefined> {
    return (await this.refresh({ signal })).claims;
  }

  /** Freezes the present weights. */
  async snapshot(options: CallOptions = {}): Promise<Snapshot> {
    const { signal, timeoutMs } = check(callOptions, options);
    const request = { adapterId: this.id, snapshotId: newId("snapshot") };
    const client = this.client.within(timeoutMs);
    const send = () => client.call(AdaptersService.snapshotAdapter, request, { signal });
    const reply = await creatingAdapter(this.client, request.snapshotId, send, signal);
    return new Snapshot(this.client, this.base, fromAdapter(present(reply.snapshot, "a snapshot")));
  }

  /**
   * Writes the adapter to a folder of this machine in PEFT's format, with a card (`README.md`) that says how it is used from Python. The
   * folder appears atomically.
   *
   * @throws LadError `already-exists` unless `overwrite` is set, `storage`
   */
  async save(folder: string, options: SaveOptions = {}): Promise<void> {
    const { overwrite, signal, timeoutMs } = check(saveOptions, options);
    const client = this.client.within(timeoutMs);
    const request = { adapterId: this.id, withCard: true };
    const messages = client.stream(AdaptersService.downloadAdapter, request, { signal });
    await writeFolder(folder, piecesOf(messages), { overwrite });
  }

  /**
   * Writes a whole model, the base with the adapter in its weights, to a folder of this machine, which transformers loads: safetensors,
   * the tokenizer's files, and a card with the facts of its training (docs/adapter-files.md). The folder appears atomically. The worker
   * computes it as it is written; training may go on meanwhile.
   *
   * @throws LadError `invalid-state` for an adapter that was trained behind a causal prompt, which the base alone reads;
   *   `invalid-option` where `dataType` cannot hold the weights; `already-exists` unless `overwrite` is set; `storage`
   */
  async merge(folder: string, options: MergeOptions = {}): Promise<void> {
    const given = check(mergeOptions, options);
    const { dataType, maxShardBytes, overwrite, onProgress, signal, timeoutMs } = given;
    const client = this.client.within(timeoutMs);
    const request = {
      adapterId: this.id,
      dataType: toDataType(dataType),
      shardBytes: BigInt(maxShardBytes),
    };
    const messages = client.stream(AdaptersService.mergeAdapter, request, { signal });
    const totalBytes = bytesIn(this.base.info, dataType);
    const pieces = counted(piecesOf(messages), (doneBytes) =>
      onProgress?.({ doneBytes: Math.min(doneBytes, totalBytes), totalBytes }),
    );
    await writeFolder(folder, pieces, { overwrite, own: OF_A_MERGE });
  }

  /**
   * Writes the adapter's files, as `save` does, to a model repository of the Hugging Face hub (of the worker's `HF_ENDPOINT`), as one
   * commit. The repository is made if it is not there; files of other names in it stay. A push that is cancelled, or that the hub keeps
   * waiting beyond `idleTimeoutMs`, ends at once; the commit is whole or not there.
   *
   * @throws LadError `invalid-option` for a name that is not owner/name; `access-denied` for a token that may not write there;
   *   `unavailable` for a hub that is not reached, answers with an error, or keeps the worker waiting; `not-found`
   */
  async push(repo: string, options: PushOptions = {}): Promise<PushedAdapter> {
    const { signal, timeoutMs, ...how } = check(pushOptions, options);
    const request = { adapterId: this.id, repo: check(filledText("owner/name"), repo, "repo"), ...how };
    const client = this.client.within(timeoutMs);
    const { url, commit } = await client.call(AdaptersService.pushAdapter, request, { signal });
    return { url, commit };
  }

  /**
   * Writes adapter and optimizer to the worker's store under a name, from which `base.loadCheckpoint` reads them. Returns a
   * digest of the checkpoint.
   *
   * The adapter then owns the name: it may overwrite its own checkpoint; other adapters need `overwrite`.
   *
   * @throws LadError `invalid-option`, `storage`; `already-exists` if another adapter or an earlier worker wrote the checkpoint,
   *   unless `overwrite` is set; `invalid-state` while a run writes under that name
   */
  async checkpoint(name: string, options: CheckpointOptions = {}): Promise<string> {
    const { overwrite, signal, timeoutMs } = check(checkpointOptions, options);
    const request = { adapterId: this.id, name: check(checkpointName, name, "name"), overwrite };
    const reply = await this.client.within(timeoutMs).call(AdaptersService.saveCheckpoint, request, {
      signal,
    });
    return reply.digest;
  }

  /**
   * Frees the adapter's memory. If a cancelled run still trains it, waits for that run.
   *
   * @throws LadError `invalid-state` while a run trains it
   */
  async drop(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    const client = this.client.within(timeoutMs);
    await client.endings(signal);
    await client.call(AdaptersService.dropAdapter, { adapterId: this.id }, { signal });
  }

  /** As `drop`, but does nothing if the adapter is gone already. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop().catch(unlessGone);
  }
}

async function noised(
  client: Client,
  given: CheckedNoised,
  baseId: string,
): Promise<pb.training.ForwardBackwardRequest["input"]> {
  const { id: datasetId } = await openDataset(client, given.data, given.signal, baseId);
  const value = {
    datasetId,
    window: toWindow(given),
    noise: toNoise(given.noise),
    loss: toLoss(given.loss),
    context: numberOf(pb.training.TrainingContext, given.context),
    canvasTokens: given.canvasTokens,
    seed: given.seed,
    epoch: given.epoch,
    rows: [...given.rows],
  };
  return { $case: "examples", value };
}

function toSequences({ sequences }: CheckedSequences): pb.training.ForwardBackwardRequest["input"] {
  const value = {
    sequences: sequences.map(({ ids, targets, weights, promptTokens }) => ({
      ids: Array.from(ids),
      targets: Array.from(targets),
      weights: toFloat32Bytes(weights),
      promptTokens,
    })),
  };
  return { $case: "sequences", value };
}

/** What the weights of a whole model take in a type. */
function bytesIn({ parameterCount, dataType: resident }: BaseInfo, dataType: BaseInfo["dataType"]): number {
  const type = dataType === "auto" ? resident : dataType;
  return parameterCount * (type === "float32" ? 4 : 2);
}

/** Tells after each piece of weights how many bytes of them there were. */
async function* counted(pieces: AsyncIterable<pb.adapters.FilePiece>, tell: (bytes: number) => void) {
  let bytes = 0;
  for await (const piece of pieces) {
    yield piece;
    if (!piece.name.endsWith(".safetensors")) continue;
    bytes += piece.data.byteLength;
    tell(bytes);
  }
}

async function* piecesOf(messages: AsyncIterable<{ piece?: pb.adapters.FilePiece | undefined }>) {
  for await (const { piece } of messages) yield present(piece, "a file");
}
