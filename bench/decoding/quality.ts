/** How fast answers come that are no worse than the reference's: exact match and time, paired over the same questions. */

import { wilson } from "../../sdk/src/index.js";
import { type Spread, spread, sum } from "../harness/statistics.js";

/** What one side made of the questions of one round. */
export interface AnsweredRound {
  readonly seconds: number;
  /** Of each question, whether its answer is the right one. */
  readonly right: readonly boolean[];
  /** Of all its answers together. */
  readonly forwards: number;
}

/** One side with one setting, over all rounds. */
export interface Contender {
  readonly name: string;
  /** Its settings. */
  readonly settings: object;
  readonly rounds: readonly AnsweredRound[];
}

export interface QualityRow {
  readonly name: string;
  readonly settings: object;
  readonly exactMatch: number;
  /** Wilson's, at 95 %. */
  readonly interval: readonly [number, number];
  /** Mean number an answer took. */
  readonly forwards: number;
  readonly answersPerSecond: number;
}

/** One setting of the reference, and the fastest of ours whose exact match is no lower. */
export interface Comparison {
  /** The reference's setting. */
  readonly reference: string;
  /** Null where none of ours is as good. */
  readonly ours: Beating | null;
}

export interface Beating {
  readonly name: string;
  /** How many times as many answers ours gives in a second: over the rounds, each on the same questions. */
  readonly ratio: Spread;
  /** Questions that only ours, and that only the reference answers right. */
  readonly onlyOurs: number;
  readonly onlyReference: number;
}

export function rowOf({ name, settings, rounds }: Contender): QualityRow {
  const right = rounds.flatMap((round) => round.right);
  const { value: exactMatch, interval } = wilson(right);
  return {
    name,
    settings,
    exactMatch,
    interval,
    forwards: sum(rounds.map(({ forwards }) => forwards)) / right.length,
    answersPerSecond: right.length / sum(rounds.map(({ seconds }) => seconds)),
  };
}

export function compare(ours: readonly Contender[], reference: Contender): Comparison {
  const [fastest] = ours
    .filter((each) => rightOf(each) >= rightOf(reference))
    .sort((a, b) => rowOf(b).answersPerSecond - rowOf(a).answersPerSecond);
  return { reference: reference.name, ours: fastest === undefined ? null : beating(fastest, reference) };
}

function beating(ours: Contender, reference: Contender): Beating {
  const ratios = ours.rounds.map(({ seconds }, round) => roundOf(reference, round).seconds / seconds);
  const pairs = ours.rounds.flatMap(({ right }, round) =>
    right.map((is, question) => ({
      ours: is,
      reference: roundOf(reference, round).right[question] === true,
    })),
  );
  return {
    name: ours.name,
    ratio: spread(ratios),
    onlyOurs: pairs.filter((pair) => pair.ours && !pair.reference).length,
    onlyReference: pairs.filter((pair) => !pair.ours && pair.reference).length,
  };
}

function roundOf({ name, rounds }: Contender, round: number): AnsweredRound {
  const found = rounds[round];
  if (found === undefined) throw new Error(`${name} has no round ${round}.`);
  return found;
}

function rightOf({ rounds }: Contender): number {
  return rounds.flatMap(({ right }) => right).filter(Boolean).length;
}
