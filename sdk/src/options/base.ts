import { check } from "../checks/check.js";
import {
  above,
  callback,
  flag,
  fractionBelowOne,
  integer,
  list,
  oneOf,
  seed,
  storedName,
  text,
} from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type CallOptions, callShape } from "./call.js";

/** How far the loading of a base has come. */
export interface LoadProgress {
  /** `download`, `convert`, `read` or `place`. */
  readonly phase: string;
  /** Bytes that this phase is done with. */
  readonly doneBytes: number;
  /** Bytes of the whole phase; 0: not known. */
  readonly totalBytes: number;
}

/** How a base is loaded. */
export interface BaseOptions extends CallOptions {
  /** A branch, tag or commit of a hub id. Default: the default branch; the commit it stood for is in `info.revision`. */
  revision?: string | undefined;
  /**
   * Type of the frozen weights; `auto` is float32 on the CPU and bfloat16 on CUDA. Adapters are float32 always. Default: `auto`.
   */
  dataType?: "auto" | "float32" | "bfloat16" | "float16" | undefined;
  /** A string that the tokenizer makes exactly one token of. Default: the base's own entry, `MASK` for Llama 3. */
  maskToken?: string | undefined;
  /**
   * A Jinja chat template; a date that it asks for (`strftime_now`) is always 26 July 2024, so that prompts stay the same. Default: the
   * model's own.
   */
  chatTemplate?: string | undefined;
  /** Put before chats that have no system message; an empty string puts none. Default: that of the base's entry. */
  systemPrompt?: string | undefined;
  /** A token for gated hub models. Default: what the worker's own environment holds (`HF_TOKEN`). */
  hubToken?: string | undefined;
  /**
   * Keys the random weights of `stub`, an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0.
   */
  seed?: number | bigint | undefined;
  /**
   * Fuses the kernels beside the matmuls with torch.compile, which takes seconds (`info.compileSeconds`) and a C++ compiler on the
   * CPU. Numbers then differ in their last bits, which may also depend on what else is computed with them. Default: false.
   */
  compile?: boolean | undefined;
  /** Called as bytes are downloaded, converted, read and placed on the device. Default: nobody is told. */
  onProgress?: ((progress: LoadProgress) => void) | undefined;
}

export const baseOptions = fieldsOf<BaseOptions>()({
  revision: text().default(""),
  dataType: oneOf(["auto", "float32", "bfloat16", "float16"]).default("auto"),
  maskToken: text().default(""),
  chatTemplate: text().default(""),
  systemPrompt: text().optional(),
  hubToken: text().default(""),
  seed: seed().default(0n),
  compile: flag().default(false),
  onProgress: callback<(progress: LoadProgress) => void>().optional(),
  ...callShape,
});

/** A LoRA adapter (arXiv 2106.09685): W x + (alpha / rank) · B A x on every targeted projection of every layer. */
export interface AdapterOptions extends CallOptions {
  /** Rows of A and columns of B: an integer of at least 1, and at most the base's `info.maxRank`. */
  rank: number;
  /** The update is scaled by alpha / rank, or as `useRslora` says: a finite number above 0. Default: the rank, as in the method. */
  alpha?: number | undefined;
  /** Projections out of the base's `info.projections`, at least one. Default: `q_proj` and `v_proj`, the method's. */
  targets?: readonly string[] | undefined;
  /** The share of the adapter's input that is dropped, in training only: a number from 0 to below 1. Default: 0. */
  dropout?: number | undefined;
  /**
   * Scale the update by alpha / √rank instead (rsLoRA, arXiv 2312.03732), so that a higher rank does not learn more slowly; with alpha at
   * its default that is √rank. PEFT's `use_rslora`. Default: false.
   */
  useRslora?: boolean | undefined;
  /**
   * Keys A's initial values, uniform within ±1/√d_in; B starts at 0. An integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint).
   * Default: 0.
   */
  seed?: number | bigint | undefined;
}

export const adapterOptions = fieldsOf<AdapterOptions>()({
  rank: integer(1),
  alpha: above(0).optional(),
  targets: list(text(), "a list of projection names, at least one").default(["q_proj", "v_proj"]),
  dropout: fractionBelowOne().default(0),
  useRslora: flag().default(false),
  seed: seed().default(0n),
  ...callShape,
});

/** What a call that makes token ids of text takes. */
export interface TextOptions extends CallOptions {
  /** Special tokens that are written out in the text, such as `<|im_end|>`, are those tokens; else they are text. Default: false. */
  allowSpecial?: boolean | undefined;
}

export const textOptions = fieldsOf<TextOptions>()({ allowSpecial: flag().default(false), ...callShape });

/** What encoding a text takes. */
export interface EncodeOptions extends TextOptions {
  /** The tokens that the tokenizer itself puts around a text, such as the one that begins it, are added. Default: false. */
  addSpecial?: boolean | undefined;
}

export const encodeOptions = fieldsOf<EncodeOptions>()({
  allowSpecial: flag().default(false),
  addSpecial: flag().default(false),
  ...callShape,
});

/** What the texts of many sequences take. */
export interface DecodeAllOptions extends CallOptions {
  /** Special tokens have the text that stands for them; false: none, as in an answer. Default: false. */
  special?: boolean | undefined;
}

export const decodeAllOptions = fieldsOf<DecodeAllOptions>()({
  special: flag().default(false),
  ...callShape,
});

/** What the texts of tokens take. */
export interface PiecesOptions extends CallOptions {
  /** Special tokens have the text that stands for them, as for showing a canvas; false: none, as in an answer. Default: true. */
  special?: boolean | undefined;
}

export const piecesOptions = fieldsOf<PiecesOptions>()({ special: flag().default(true), ...callShape });

/** What reading an adapter from a folder takes. */
export interface LoadAdapterOptions extends CallOptions {
  /** Load an adapter whose files say that it was trained on another base, with a warning. Default: false. */
  allowOtherBase?: boolean | undefined;
}

export const loadAdapterOptions = fieldsOf<LoadAdapterOptions>()({
  allowOtherBase: flag().default(false),
  ...callShape,
});

/** What writing an adapter to a folder takes. */
export interface SaveOptions extends CallOptions {
  /** Replace a folder that is there. Default: false. */
  overwrite?: boolean | undefined;
}

export const saveOptions = fieldsOf<SaveOptions>()({ overwrite: flag().default(false), ...callShape });

/** What writing a checkpoint that has the adapter in its weights takes. */
export interface MergeOptions extends CallOptions {
  /** Type of the weights in the files; `auto` is that of the base in the worker's memory. Default: `auto`. */
  dataType?: "auto" | "float32" | "bfloat16" | "float16" | undefined;
  /**
   * The most bytes of tensors in one file of weights: an integer from 1 to 9,007,199,254,740,991. Further ones are shards, with an
   * index. Default: 5,000,000,000.
   */
  maxShardBytes?: number | undefined;
  /** Replace a folder that is there and holds nothing but an older merge, which says that it is one. Default: false. */
  overwrite?: boolean | undefined;
  /** Called as bytes of weights arrive. Default: nobody is told. */
  onProgress?: ((progress: MergeProgress) => void) | undefined;
}

/** How much of a merged model is written. */
export interface MergeProgress {
  /** Bytes of weights so far. */
  readonly doneBytes: number;
  /** Bytes of all weights in the type that is asked for. */
  readonly totalBytes: number;
}

export const mergeOptions = fieldsOf<MergeOptions>()({
  dataType: oneOf(["auto", "float32", "bfloat16", "float16"]).default("auto"),
  maxShardBytes: integer(1, Number.MAX_SAFE_INTEGER).default(5e9),
  overwrite: flag().default(false),
  onProgress: callback<(progress: MergeProgress) => void>().optional(),
  ...callShape,
});

/** What writing an adapter to a hub takes. */
export interface PushOptions extends CallOptions {
  /** Whether a repository that is made is private; one that is there stays as it is. Default: true. */
  private?: boolean | undefined;
  /** The commit's message. Default: one that names lad and its version. */
  message?: string | undefined;
  /** A token with write access. Default: what the worker's own environment holds (`HF_TOKEN`). */
  hubToken?: string | undefined;
  /**
   * The longest wait for the hub, in milliseconds: to take the next piece of an upload, or to answer a request whole. An integer from 1
   * to 2,147,483,647. Default: 60,000.
   */
  idleTimeoutMs?: number | undefined;
}

export const pushOptions = fieldsOf<PushOptions>()({
  private: flag().default(true),
  message: text().default(""),
  hubToken: text().default(""),
  idleTimeoutMs: integer(1, 2 ** 31 - 1).default(60_000),
  ...callShape,
});

/** What writing a checkpoint to the worker's store takes. */
export interface CheckpointOptions extends CallOptions {
  /** Write over a checkpoint of that name which another adapter or an earlier worker wrote. Default: false. */
  overwrite?: boolean | undefined;
}

export const checkpointOptions = fieldsOf<CheckpointOptions>()({
  overwrite: flag().default(false),
  ...callShape,
});

/** A name in the worker's store. */
export const checkpointName = storedName();

/**
 * Checks a name that checkpoints may have: 1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit. It is a
 * good name of a folder too.
 *
 * @param option - what the error calls it
 * @throws LadError `invalid-option`
 */
export function checkName(name: string, option = "name"): void {
  check(checkpointName, name, option);
}
