import { z } from "zod";
import { check } from "../checks/check.js";
import { above, atLeast, fields, fractionBelowOne, integer, number, oneOf } from "../checks/fields.js";

const weightDecay = atLeast(0).default(0.01);

const adamwShape = {
  /** Decoupled, per step, times the learning rate. */
  weightDecay,
  beta1: fractionBelowOne().default(0.9),
  beta2: fractionBelowOne().default(0.999),
  epsilon: above(0).default(1e-8),
};
const muonShape = {
  /** Decoupled, per step, times the learning rate. */
  weightDecay,
  momentum: fractionBelowOne().default(0.95),
  /** Iterations of the orthogonalisation. */
  newtonSchulzSteps: integer(1, 100).default(5),
};
const adamwFields = fields(adamwShape);
const muonFields = fields(muonShape);

const KINDS = ["adamw", "muon"] as const;

const optimizerObject = z.discriminatedUnion(
  "kind",
  [fields({ kind: z.literal("adamw"), ...adamwShape }), fields({ kind: z.literal("muon"), ...muonShape })],
  { error: `an object whose kind is one of ${KINDS.join(", ")}` },
);
/** An optimizer, complete. */
export type Optimizer = Readonly<z.output<typeof optimizerObject>>;

/** An optimizer, or its kind's name; `adamw()` and `muon()` make one. */
export const optimizerSchema = z.union(
  [
    z
      .enum(KINDS, { error: `one of ${KINDS.join(", ")}` })
      .transform((kind) => (kind === "adamw" ? adamw() : muon())),
    optimizerObject,
  ],
  { error: "one of adamw, muon, or adamw(), muon()" },
);
export type OptimizerInput = z.input<typeof optimizerSchema>;

/** AdamW (arXiv 1711.05101), the method's optimizer. */
export function adamw(options: z.input<typeof adamwFields> = {}): Optimizer {
  return { kind: "adamw", ...check(adamwFields, options) };
}

/** Muon: momentum, orthogonalised by Newton–Schulz iterations, on the LoRA matrices. */
export function muon(options: z.input<typeof muonFields> = {}): Optimizer {
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
export const scheduleShape = {
  /** Peak. Default: 1e-5 with adamw, 1e-2 with muon. */
  learningRate: atLeast(0).optional(),
  warmupSteps: integer(0).default(100),
  decay: oneOf(["cosine", "linear", "constant"]).default("cosine"),
  /** Of the peak, reached one step after the last. */
  finalFraction: number(0, 1).default(0),
};

/** A whole schedule, as the worker and `learningRate()` of this package take it. */
export interface ScheduleSpec {
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly decay: "cosine" | "linear" | "constant";
  readonly finalFraction: number;
}
