import type { z } from "zod";
import {
  above,
  callback,
  fields,
  flag,
  fractionBelowOne,
  integer,
  list,
  oneOf,
  seed,
  storedName,
  text,
} from "../checks/fields.js";
import { callShape } from "./call.js";

const DATA_TYPES = ["auto", "float32", "bfloat16", "float16"] as const;

/** How far the loading of a base has come. */
export interface LoadProgress {
  /** `download`, `convert`, `read` or `place`. */
  readonly phase: string;
  readonly doneBytes: number;
  /** 0: not known. */
  readonly totalBytes: number;
}

/** How a base is loaded. */
export const baseOptions = fields({
  /** A branch, tag or commit of a hub id. Default: the default branch; the commit it stood for is in `info.revision`. */
  revision: text().default(""),
  /** Of the frozen weights. `auto`: float32 on the CPU, bfloat16 on CUDA. Adapters are float32 always. */
  dataType: oneOf(DATA_TYPES).default("auto"),
  /** A string that the tokenizer makes exactly one token of. Default: the base's own entry, `MASK` for Llama 3. */
  maskToken: text().default(""),
  /** A Jinja chat template. Default: the model's own. */
  chatTemplate: text().default(""),
  /** Put before chats that have no system message; an empty string puts none. Default: that of the base's entry. */
  systemPrompt: text().optional(),
  /** For gated hub models. Default: what the worker's own environment holds (`HF_TOKEN`). */
  hubToken: text().default(""),
  /** Of the random weights of `stub`. */
  seed: seed().default(0n),
  /**
   * Fuses the kernels beside the matmuls with torch.compile, which takes seconds (`info.compileSeconds`) and a C++ compiler on the
   * CPU. Numbers then differ in their last bits, which may also depend on what else is computed with them.
   */
  compile: flag().default(false),
  /** Called as bytes are downloaded, converted, read and placed on the device. */
  onProgress: callback<(progress: LoadProgress) => void>().optional(),
  ...callShape,
});
export type BaseOptions = z.input<typeof baseOptions>;

/** A LoRA adapter (arXiv 2106.09685): W x + (alpha / rank) · B A x on every targeted projection of every layer. */
export const adapterOptions = fields({
  /** From 1 to the base's `info.maxRank`. */
  rank: integer(1),
  /** The update is scaled by alpha / rank. Default: the rank, as in the method. */
  alpha: above(0).optional(),
  /** Projections out of the base's `info.projections`. Default: `q_proj` and `v_proj`, the method's. */
  targets: list(text(), "a list of projection names, at least one").default(["q_proj", "v_proj"]),
  /** Of the adapter's input, in training only. */
  dropout: fractionBelowOne().default(0),
  /** Of A's initial values, uniform within ±1/√d_in; B starts at 0. */
  seed: seed().default(0n),
  ...callShape,
});
export type AdapterOptions = z.input<typeof adapterOptions>;

/** What every call to the worker takes. */
export const callOptions = fields(callShape);
export type CallOptions = z.input<typeof callOptions>;

/** What a call that makes token ids of text takes. */
export const textOptions = fields({
  /** Special tokens that are written out in the text, such as `<|im_end|>`, are those tokens; without it they are text. */
  allowSpecial: flag().default(false),
  ...callShape,
});
export type TextOptions = z.input<typeof textOptions>;

/** What writing an adapter to a folder takes. */
export const saveOptions = fields({
  /** Replace a folder that is there. */
  overwrite: flag().default(false),
  ...callShape,
});
export type SaveOptions = z.input<typeof saveOptions>;

/** What writing a checkpoint to the worker's store takes. */
export const checkpointOptions = fields({
  /** Write over a checkpoint of that name which another adapter or an earlier worker wrote. */
  overwrite: flag().default(false),
  ...callShape,
});
export type CheckpointOptions = z.input<typeof checkpointOptions>;

/** A name in the worker's store. */
export const checkpointName = storedName();
