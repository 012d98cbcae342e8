import { z } from "zod";
import { check } from "../checks/check.js";
import { above, atLeast, fractionBelowOne, integer, number, oneOf } from "../checks/fields.js";
import { type Complete, fieldsOf } from "../checks/fields-of.js";

/** Parameters of AdamW. */
export interface AdamwOptions {
  /** Decoupled, taken at every step times the learning rate: a finite number of at least 0. Default: 0.01. */
  weightDecay?: number | undefined;
  /** Decay of the mean of the gradients: a number from 0 to below 1. Default: 0.9. */
  beta1?: number | undefined;
  /** Decay of the mean of their squares: a number from 0 to below 1. Default: 0.999. */
  beta2?: number | undefined;
  /** Added to the root of that mean: a finite number above 0. Default: 1e-8. */
  epsilon?: number | undefined;
}

/** Parameters of Muon. */
export interface MuonOptions {
  /** Decoupled, taken at every step times the learning rate: a finite number of at least 0. Default: 0.01. */
  weightDecay?: number | undefined;
  /** Decay of the sum of the gradients: a number from 0 to below 1. Default: 0.95. */
  momentum?: number | undefined;
  /** Iterations of the orthogonalisation: an integer from 1 to 100. Default: 5. */
  newtonSchulzSteps?: number | undefined;
}

/** AdamW, with those of its parameters that are not the defaults. */
export interface AdamwInput extends AdamwOptions {
  /** Names the optimizer. */
  kind: "adamw";
}

/** Muon, with those of its parameters that are not the defaults. */
export interface MuonInput extends MuonOptions {
  /** Names the optimizer. */
  kind: "muon";
}

/** AdamW (arXiv 1711.05101), complete. */
export interface Adamw extends Complete<AdamwInput> {}

/** Muon, complete. */
export interface Muon extends Complete<MuonInput> {}

/** An optimizer, complete. */
export type Optimizer = Adamw | Muon;

/** An optimizer, or its kind's name; `adamw()` and `muon()` make one. */
export type OptimizerInput = "adamw" | "muon" | AdamwInput | MuonInput;

const weightDecay = atLeast(0).default(0.01);

const adamwShape = {
  weightDecay,
  beta1: fractionBelowOne().default(0.9),
  beta2: fractionBelowOne().default(0.999),
  epsilon: above(0).default(1e-8),
};
const muonShape = {
  weightDecay,
  momentum: fractionBelowOne().default(0.95),
  newtonSchulzSteps: integer(1, 100).default(5),
};
export const adamwFields = fieldsOf<AdamwOptions>()(adamwShape);
export const muonFields = fieldsOf<MuonOptions>()(muonShape);
export const adamwInput = fieldsOf<AdamwInput>()({ kind: z.literal("adamw"), ...adamwShape });
export const muonInput = fieldsOf<MuonInput>()({ kind: z.literal("muon"), ...muonShape });

const KINDS = ["adamw", "muon"] as const;

const optimizerObject = z.discriminatedUnion("kind", [adamwInput, muonInput], {
  error: `an object whose kind is one of ${KINDS.join(", ")}`,
});

export const optimizerSchema = z.union(
  [
    z
      .enum(KINDS, { error: `one of ${KINDS.join(", ")}` })
      .transform((kind) => (kind === "adamw" ? adamw() : muon())),
    optimizerObject,
  ],
  { error: "one of adamw, muon, or adamw(), muon()" },
);

/** AdamW (arXiv 1711.05101), the method's optimizer. */
export function adamw(options: AdamwOptions = {}): Optimizer {
  return { kind: "adamw", ...check(adamwFields, options) };
}

/** Muon: momentum, orthogonalised by Newton–Schulz iterations, on the LoRA matrices. */
export function muon(options: MuonOptions = {}): Optimizer {
  return { kind: "muon", ...check(muonFields, options) };
}

/** Every parameter of an optimizer; those that its kind does not use have their defaults. */
export function optimizerSpec(optimizer: Optimizer) {
  return { ...adamwFields.parse({}), ...muonFields.parse({}), ...optimizer };
}

/** Peak learning rate where none is given: the method's for AdamW, and what `tiny` was tuned with for Muon. */
export function defaultLearningRate(optimizer: Optimizer): number {
  return optimizer.kind === "adamw" ? 1e-5 : 1e-2;
}

/** The learning rate at step k: linear warm-up to the peak, then decay to `finalFraction` of it as the run ends. */
export interface ScheduleOptions {
  /** The peak, after the warm-up: a finite number of at least 0. Default: 1e-5 with `adamw`, 1e-2 with `muon`. */
  learningRate?: number | undefined;
  /**
   * Steps in which the learning rate rises from 0 to its peak: an integer of at least 0. Default: 100, or a tenth of the run's steps where
   * that is less.
   */
  warmupSteps?: number | undefined;
  /** How it falls after that: along half a `cosine`, along a line (`linear`), or not (`constant`). Default: `cosine`. */
  decay?: "cosine" | "linear" | "constant" | undefined;
  /** The share of the peak that is reached one step after the last: a number from 0 to 1. Default: 0. */
  finalFraction?: number | undefined;
}

export const scheduleShape = {
  learningRate: atLeast(0).optional(),
  warmupSteps: integer(0).optional(),
  decay: oneOf(["cosine", "linear", "constant"]).default("cosine"),
  finalFraction: number(0, 1).default(0),
};
