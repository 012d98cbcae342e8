/** The pieces of a reproduction, in the order of their computation: each ends by itself, and its result is kept. */

import type { Benchmark } from "../benchmarks/benchmark.js";
import {
  ar,
  editing,
  entropyBound,
  llada,
  refine,
  remask,
  revoking,
  speculative,
  threshold,
} from "../method/policies/registered.js";
import type { Policy } from "../method/policy.js";
import { highestOf, recipeOf, type Setting, type Variant, variantsOf } from "./setting.js";

/** The file of a reproduction's folder that keeps the results of its pieces. */
export const PIECES = "pieces.json";

/** A set of questions. */
export type QuestionSet = "easy" | "arithmetic";

export const QUESTION_SETS = ["easy", "arithmetic"] as const satisfies readonly QuestionSet[];

/** A kind of error that an answer is given before it is repaired. */
export type ErrorKind = "swaps" | "duplications" | "shifts";

export const ERROR_KINDS: readonly ErrorKind[] = ["swaps", "duplications", "shifts"];

/** Trains a variant and keeps its adapter. */
export interface TrainPiece {
  readonly kind: "train";
  readonly variant: Variant;
}

/** The losses of a variant's validation examples. */
export interface LossesPiece {
  readonly kind: "losses";
  readonly variant: Variant;
}

/** A variant's answers to a set of questions under a policy. */
export interface AnswersPiece {
  readonly kind: "answers";
  readonly variant: Variant;
  readonly set: QuestionSet;
  readonly policy: Policy;
}

/** The autoregressive base's own answers to a set of questions. */
export interface BasePiece {
  readonly kind: "base";
  readonly base: string;
  readonly set: QuestionSet;
}

/** A variant's and its base's answers to a benchmark. */
export interface BenchmarkPiece {
  readonly kind: "benchmark";
  readonly variant: Variant;
  readonly set: QuestionSet;
  readonly benchmark: Benchmark;
}

/** What a variant makes of right answers with errors of one kind, refining them without masking again. */
export interface RepairsPiece {
  readonly kind: "repairs";
  readonly variant: Variant;
  readonly errors: ErrorKind;
}

/** How a variant's answer to the first easy question comes about. */
export interface TracePiece {
  readonly kind: "trace";
  readonly variant: Variant;
  readonly policy: Policy;
}

/** One step of a reproduction. */
export type Piece =
  | TrainPiece
  | LossesPiece
  | AnswersPiece
  | BasePiece
  | BenchmarkPiece
  | RepairsPiece
  | TracePiece;

/** Iterations of the answers that are compared with the base's. */
export const COMPARED_ITERATIONS = 16;
/** Iterations of a repair. */
export const REPAIR_ITERATIONS = 4;

/** The name of a piece: unique, and the same for the same settings. */
export function nameOf(piece: Piece): string {
  if (piece.kind === "base") return `${piece.base} itself: ${piece.set}`;
  const { name } = piece.variant;
  if (piece.kind === "answers") return `${name}: ${piece.set} ${policyName(piece.policy)}`;
  if (piece.kind === "benchmark") return `${name}: ${piece.benchmark.kind}`;
  if (piece.kind === "repairs") return `${name}: repairing ${piece.errors}`;
  if (piece.kind === "trace") return `${name}: one answer under ${policyName(piece.policy)}`;
  return piece.kind === "train" ? `${name}: training` : `${name}: losses`;
}

/** A policy with the iterations that it is given, such as `remask 16`. */
export function policyName(policy: Policy): string {
  return "iterations" in policy ? `${policy.kind} ${policy.iterations}` : policy.kind;
}

/** Every piece, each once. A piece needs the training of its variant alone. */
export function piecesOf(setting: Setting): readonly Piece[] {
  const { watched, maskOnly, better, bases } = setting;
  const variants = variantsOf(setting);
  const compared = bases.map((base) => highestOf(setting, base));
  const pieces: Piece[] = [
    ...variants.flatMap((variant): Piece[] => [
      { kind: "train", variant },
      { kind: "losses", variant },
    ]),
    ...bases.flatMap((base) => QUESTION_SETS.map((set): Piece => ({ kind: "base", base, set }))),
    ...compared.flatMap((variant) =>
      QUESTION_SETS.map((set) => answers(variant, set, comparedPolicy(setting, variant))),
    ),
    ...compared.flatMap((variant) => benchmarksOf(setting, variant)),
    ...byIterations(setting, watched),
    ...[watched, maskOnly].flatMap((variant) => [
      answers(variant, "easy", refine({ iterations: COMPARED_ITERATIONS })),
      ...ERROR_KINDS.map((errors): Piece => ({ kind: "repairs", variant, errors })),
    ]),
    ...allPolicies(setting, better).map((policy) => answers(better, "easy", policy)),
    answers(better, "arithmetic", speculative()),
    ...tracesOf(setting),
  ];
  const once = new Map(pieces.map((piece) => [nameOf(piece), piece]));
  return [...once.values()];
}

/** Every benchmark, asked of one variant and its base. */
export function benchmarksOf({ benchmarks }: Setting, variant: Variant): BenchmarkPiece[] {
  return QUESTION_SETS.flatMap((set) =>
    benchmarks[set].map((benchmark) => ({ kind: "benchmark" as const, variant, set, benchmark })),
  );
}

/** The policy under which variants are compared with their bases. */
export function comparedPolicy(setting: Setting, { base }: Variant): Policy {
  return remask({ ...recipeOf(setting, base).remask, iterations: COMPARED_ITERATIONS });
}

/** Both samplers of the method after each number of iterations; it stops early where the answer is stable. */
export function byIterations(setting: Setting, variant: Variant): AnswersPiece[] {
  const { iterations } = setting;
  const { remask: options } = recipeOf(setting, variant.base);
  return iterations.flatMap((count) => [
    answers(variant, "easy", refine({ iterations: count })),
    answers(variant, "easy", remask({ ...options, iterations: count })),
  ]);
}

/** Every policy, those that have iterations after few and after many. */
export function allPolicies(setting: Setting, { base }: Variant): Policy[] {
  const few = [2, 4, 8, 16];
  const { remask: options } = recipeOf(setting, base);
  return [
    ...[1, ...few].map((iterations) => refine({ iterations })),
    ...few.map((iterations) => remask({ ...options, iterations })),
    ...few.map((iterations) => editing({ iterations })),
    ...few.map((iterations) => revoking({ iterations })),
    ...few.map((iterations) => threshold({ iterations })),
    ...few.map((iterations) => llada({ iterations })),
    entropyBound({ anneal: false }),
    speculative(),
  ];
}

/** The answers that a report shows as they come about. */
export function tracesOf(setting: Setting): readonly TracePiece[] {
  const { better } = setting;
  const policies = [comparedPolicy(setting, better), refine({ iterations: COMPARED_ITERATIONS })];
  return policies.map((policy) => ({ kind: "trace", variant: better, policy }));
}

/** The base by itself, one token a forward. */
export const autoregressive: Policy = ar();

function answers(variant: Variant, set: QuestionSet, policy: Policy): AnswersPiece {
  return { kind: "answers", variant, set, policy };
}
