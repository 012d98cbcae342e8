import type { LossSpec } from "../method/loss-targets.js";
import type { Noise } from "../method/noise.js";
import type { AttentionModeName } from "../options/attention.js";

/** How rows are multiplied with one kind of a base's matrices on the worker's CPU. */
export interface MatrixKernel {
  /** `qkv` (the projections of queries, keys and values), `o`, `gate_up`, `down` or `head`. */
  readonly matrix: string;
  /** `mkl`, or whatever BLAS the worker's PyTorch was built with; or `onednn`. */
  readonly kernel: string;
  /** How the matrix lies in memory: `out-in`, the inputs of one output side by side, or `in-out`. */
  readonly layout: string;
}

/** A resident base. */
export interface BaseInfo {
  /** The base's id on the worker. */
  readonly id: string;
  /** The name that it was loaded by. */
  readonly name: string;
  /** The commit of a hub id, or a digest of the files. */
  readonly revision: string;
  /** Numbers in its weights. */
  readonly parameterCount: number;
  /** Of the weights, on the device. */
  readonly bytes: number;
  /** Type of the weights. */
  readonly dataType: "auto" | "float32" | "bfloat16" | "float16";
  /** Tokens of the vocabulary. */
  readonly vocabSize: number;
  /** Numbers that each position carries from layer to layer. */
  readonly hiddenSize: number;
  /** Transformer blocks. */
  readonly numLayers: number;
  /** Attention heads of a layer. */
  readonly numHeads: number;
  /** Heads of keys and values of a layer; several heads of queries may share one. */
  readonly numKvHeads: number;
  /** The longest sequence that it was made for, in tokens. */
  readonly maxPositions: number;
  /** The projections that an adapter may target. */
  readonly projections: readonly string[];
  /** The largest rank that an adapter on it may have. */
  readonly maxRank: number;
  /** The token that stands for what is hidden, as text. */
  readonly maskToken: string;
  /** The same as an id. */
  readonly maskTokenId: number;
  /** What answers learn to end with: the token that the chat template closes a turn with, else the tokenizer's own. */
  readonly eosToken: string;
  /** The same as an id. */
  readonly eosTokenId: number;
  /** Every token that ends an answer, `eosToken` among them. */
  readonly stopTokens: readonly string[];
  /** The same as ids. */
  readonly stopTokenIds: readonly number[];
  /** Put before chats that have no system message. */
  readonly systemPrompt: string;
  /** Whether `render`, and whatever takes messages, can be used. */
  readonly hasChatTemplate: boolean;
  /** SHA-256 of the chat template's text, in hexadecimal; empty without a template. */
  readonly chatTemplateDigest: string;
  /**
   * The attention mode in which it was trained to denoise: LLaDA, or a model with an adapter in its weights (`adapter.merge`); undefined: its files
   * say none.
   */
  readonly attention: AttentionModeName | undefined;
  /** How long its kernels took to compile; 0: they are not. */
  readonly compileSeconds: number;
  /** What is odd about its files, in a sentence each: `onWarning` hears them when the base is loaded. */
  readonly warnings: readonly string[];
  /**
   * What was measured to be fastest on the worker's machine, once, and is kept there: a base's numbers are rounded alike for as
   * long as these are the same. Empty on CUDA and in half precision, where nothing is chosen.
   */
  readonly kernels: readonly MatrixKernel[];
}

/** How an adapter was trained last, as the worker saw it or as the adapter's files claim. */
export interface AdapterClaims {
  /** The name of the base that it was trained on. */
  readonly baseName: string;
  /** That base's revision: the commit of a hub id, or a digest of the files. */
  readonly baseRevision: string;
  /** How tokens attended to each other. */
  readonly attention: "full" | "prefix" | "causal-prefix" | "causal";
  /**
   * Where an answer's decided tokens stood: in the canvas behind the prompt (`prompt`), or, those before a random place, in the past
   * (`random-split`).
   */
  readonly context: "prompt" | "random-split";
  /** How answers were corrupted; undefined for sequences of one's own making. */
  readonly noise?: Noise | undefined;
  /** Which tokens were supervised, with what weight; undefined for sequences of one's own making. */
  readonly loss?: LossSpec | undefined;
  /** The token that stood for what was hidden, as text. */
  readonly maskToken: string;
  /** What answers ended with. */
  readonly eosToken: string;
  /** Every token that ended an answer, `eosToken` among them. */
  readonly stopTokens: readonly string[];
  /** SHA-256 of the chat template's text, in hexadecimal; empty without a template. */
  readonly chatTemplateDigest: string;
  /** Optimizer steps over the adapter's life, those before its files were written included. */
  readonly steps: number;
  /** The version of lad that took the last of them. */
  readonly version: string;
  /** Prompt, answer and tail of every example of the last step; 0 if they differed. */
  readonly windowTokens: number;
  /** The most tokens that a canvas of `random-split` context had; 0 if there was no limit. */
  readonly canvasTokens: number;
  /** What filled the tails in turn; none where that was `eosToken`, and for sequences of one's own making. */
  readonly padTokens: readonly string[];
}

/** The latest checkpoint of a name in the worker's store. */
export interface StoredCheckpoint {
  /** Its name. */
  readonly name: string;
  /** The name of the base that it is of, such as `tiny`. */
  readonly baseName: string;
  /** That base's revision. */
  readonly baseRevision: string;
  /** The adapter's rank. */
  readonly rank: number;
  /** Optimizer steps that the adapter has taken. */
  readonly steps: number;
  /** Bytes of its files: weights and optimizer state. */
  readonly nbytes: number;
}

/** A LoRA adapter as the worker holds it. */
export interface AdapterInfo {
  /** The adapter's or snapshot's id on the worker. */
  readonly id: string;
  /** Its base's. */
  readonly baseId: string;
  /** Rows of A and columns of B. */
  readonly rank: number;
  /** The update is scaled by alpha / rank, or by alpha / √rank with `useRslora`. */
  readonly alpha: number;
  /** The projections that it adapts, in every layer. */
  readonly targets: readonly string[];
  /** The share of its input that is dropped, in training only. */
  readonly dropout: number;
  /** Whether its scaling is rsLoRA's. */
  readonly useRslora: boolean;
  /** What keyed A's initial values; in JSON in decimal digits. */
  readonly seed: bigint;
  /** Numbers that training changes. */
  readonly parameterCount: number;
  /** Weights, gradients and optimizer state now held. */
  readonly bytes: number;
  /** Optimizer steps taken. */
  readonly steps: number;
  /** Number of its last primitive; 0: none yet. */
  readonly lastSequence: number;
  /** How it was trained last; undefined if it never was, or if its files do not say, as those of other programs. */
  readonly claims?: AdapterClaims | undefined;
}

/** The worker: its device, its memory, what is resident. */
export interface WorkerInfo {
  /** `cpu` or `cuda`. */
  readonly device: string;
  /** What the device calls itself. */
  readonly deviceName: string;
  /** CPU threads. */
  readonly threads: number;
  /** PyTorch's version. */
  readonly torchVersion: string;
  /** Python's version. */
  readonly pythonVersion: string;
  /** Bytes of weights, gradients, optimizer states and snapshots now held, counted by shape. */
  readonly accountedBytes: number;
  /** Memory of the device, or of the machine on the CPU. */
  readonly memoryBytes: number;
  /** What may be held and promised at once. */
  readonly memoryBudgetBytes: number;
  /** Of idle optimizer states that wait on the worker's disk. */
  readonly offloadedBytes: number;
  /** The resident bases. */
  readonly bases: readonly BaseInfo[];
  /** The resident adapters and snapshots. */
  readonly adapters: readonly AdapterInfo[];
  /** The names of its sampling policies. */
  readonly policies: readonly string[];
  /** The names of its noises. */
  readonly noises: readonly string[];
}
