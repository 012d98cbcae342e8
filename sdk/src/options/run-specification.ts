/** How a run was specified, as the worker keeps it: every default is decided. */
import type { ScheduleSpec } from "../method/learning-rate.js";
import type { LossSpec } from "../method/loss-targets.js";
import type { Noise } from "../method/noise.js";
import type { TrainingContext } from "../method/random-split.js";
import type { DenoisingAttention } from "./attention.js";
import type { WindowSpec } from "./data.js";
import type { Optimizer } from "./optimizer.js";

/** How a run was specified. */
export interface RunSpecification {
  /** The base's name, such as `tiny`. */
  readonly baseName: string;
  /** The revision that was loaded: the commit of a hub id, or a digest of the files. */
  readonly baseRevision: string;
  /** How the adapter was made; undefined where the base was sampled without one. */
  readonly adapter: SpecifiedAdapter | undefined;
  /** What was trained; undefined for a sampling run. */
  readonly training: SpecifiedTraining | undefined;
  /** The id of the data that it was trained on, which follows from its content; undefined for a sampling run. */
  readonly datasetId: string | undefined;
  /** How it was validated; undefined where it was not. */
  readonly validation: SpecifiedValidation | undefined;
}

/** How a training run was validated. */
export interface SpecifiedValidation {
  /** The id of the validation data, which follows from its content. */
  readonly datasetId: string;
  /** The most examples that were used; 0: all. */
  readonly maxExamples: number;
  /** Steps between two validations; 0: before the first step and after the last alone. */
  readonly everySteps: number;
  /** What keyed its noise; in JSON in decimal digits. */
  readonly seed: bigint;
  /** The name of the checkpoint that keeps the best; empty: none. */
  readonly keepBest: string;
  /** Validations without an improvement that end the run; 0: none does. */
  readonly patience: number;
  /** By how many nats a CE has to be lower to be an improvement. */
  readonly minDelta: number;
  /** Whether the adapter was set back to its best. */
  readonly restoreBest: boolean;
}

/** How an adapter was made. */
export interface SpecifiedAdapter {
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
}

/** What `train` was asked for, in its words: `train({ ...training, data })` asks it again. */
export interface SpecifiedTraining extends WindowSpec, ScheduleSpec {
  /** How examples were corrupted. */
  readonly noise: Noise;
  /** Which tokens were supervised, with what weight. */
  readonly loss: LossSpec;
  /** The optimizer, with the options of its kind. */
  readonly optimizer: Optimizer;
  /** Optimizer steps. */
  readonly steps: number;
  /** Examples a step. */
  readonly batchSize: number;
  /** The most tokens of a micro-batch. */
  readonly microBatchTokens: number;
  /** The gradient's norm is clipped there; 0: not at all. */
  readonly maxGradientNorm: number;
  /** What keyed order, noise and dropout; in JSON in decimal digits. */
  readonly seed: bigint;
  /** What attended to what. */
  readonly attention: DenoisingAttention;
  /** Where an answer's decided tokens stood. */
  readonly context: TrainingContext;
  /** The most tokens of a canvas of `random-split`; 0: no limit. */
  readonly canvasTokens: number;
  /** Whether activations were computed again in the backward. */
  readonly gradientCheckpointing: boolean;
  /** The run's share of the device, relative to others'. */
  readonly shareWeight: number;
  /** Whether TensorBoard's files were written. */
  readonly tensorboard: boolean;
}
