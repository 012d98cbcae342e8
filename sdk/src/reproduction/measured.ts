/** What the pieces of a reproduction give: plain data, item by item, so that every figure and interval can be computed again. */
import type { ScoredBy } from "../benchmarks/benchmark.js";
import type { Trace } from "../report/parts/trace.js";
import {
  type AnswersPiece,
  type BasePiece,
  type BenchmarkPiece,
  type LossesPiece,
  nameOf,
  type Piece,
  type RepairsPiece,
  type TracePiece,
  type TrainPiece,
} from "./pieces.js";

/** A trained variant. */
export interface Training {
  /** Numbers that training changed. */
  readonly trainableParameters: number;
  /** Optimizer steps. */
  readonly steps: number;
  /** Of the steps alone. */
  readonly seconds: number;
  /** Of the steps alone. */
  readonly tokensPerSecond: number;
  /** CE per corrupted token over the steps up to each. */
  readonly curve: readonly { readonly step: number; readonly ce: number }[];
}

/** Losses example by example: the sum over an example's tokens in nats, and how many those are. */
export interface ExampleLosses {
  readonly nats: readonly number[];
  readonly tokens: readonly number[];
}

/** A variant's validation: the corrupted tokens under the method's noise, and answers masked to a fixed share. */
export interface Losses {
  readonly lad: ExampleLosses;
  readonly masked: readonly (ExampleLosses & { readonly share: number })[];
}

/** Answers to a set of questions, in the order of the questions. */
export interface Answers {
  /** Of sampling alone. */
  readonly seconds: number;
  readonly items: readonly AnswerItem[];
}

/** One answer. */
export interface AnswerItem {
  /** Whether it is the reference. */
  readonly right: boolean;
  /** Its text. */
  readonly text: string;
  /** Token ids before its end. */
  readonly ids: readonly number[];
  /** Tokens with the one that ends it. */
  readonly tokens: number;
  /** Computed for it: of an adapter, and of the base where that checks. */
  readonly forwards: number;
  /** Its negative log-likelihood under the causal base, in nats; 0 for an answer without a token before its end. */
  readonly nats: number;
  /** Tokens that `nats` are of. */
  readonly scored: number;
}

/** Whether each item of a benchmark was answered rightly, by an adapter and by its base. */
export interface Benchmarked {
  readonly adapted: readonly boolean[];
  readonly itself: readonly boolean[];
  /** How answers were judged. */
  readonly by: ScoredBy;
}

/** Whether each corrupted answer became the reference again. */
export interface Repairs {
  readonly repaired: readonly boolean[];
}

/** An answer's way, as a report shows it. */
export interface Traced {
  readonly trace: Trace;
}

interface Results {
  train: Training;
  losses: Losses;
  answers: Answers;
  base: Answers;
  benchmark: Benchmarked;
  repairs: Repairs;
  trace: Traced;
}

/** The result of a piece. */
export type ResultOf<Each extends Piece> = Results[Each["kind"]];

/** Everything that was measured, by piece. */
export class Measured {
  readonly #results: ReadonlyMap<string, unknown>;

  constructor(results: ReadonlyMap<string, unknown>) {
    this.#results = results;
  }

  of(piece: TrainPiece): Training | undefined;
  of(piece: LossesPiece): Losses | undefined;
  of(piece: AnswersPiece | BasePiece): Answers | undefined;
  of(piece: BenchmarkPiece): Benchmarked | undefined;
  of(piece: RepairsPiece): Repairs | undefined;
  of(piece: TracePiece): Traced | undefined;
  /** The result of a piece; undefined where it was not computed, or failed. */
  of(piece: Piece): unknown {
    return this.#results.get(nameOf(piece));
  }
}
