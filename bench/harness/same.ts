/** Whether two sides computed the same; where they did not, their times mean nothing, and an error says so. */
import { isDeepStrictEqual } from "node:util";
import type { Measurement } from "./side.js";
import type { Round } from "./turns.js";

const LOSS_TOLERANCE = 1e-4;
/**
 * Relative. On random tokens a gradient through thirty layers carries float32's rounding up to here: 2e-3 from float64's was seen.
 * Numbers of half precision have 8 or 11 bits.
 */
const TOLERANCES = { float32: { loss: LOSS_TOLERANCE, norm: 1e-2 }, half: { loss: 1e-2, norm: 1e-1 } };

/** How far losses of numbers of this type may be from the reference's, relative. */
export function lossTolerance(dtype: string): number {
  return tolerancesOf(dtype).loss;
}

/** In float32 losses equal to 1e-4 and gradient norms to 1e-2 of the reference's, in half precision to 1e-2 and 1e-1. */
export function sameTraining(dtype = "float32"): (round: Round) => void {
  const tolerances = tolerancesOf(dtype);
  return ({ ours, reference }) => {
    if (reference === undefined) return;
    sameLosses(ours.losses, reference.losses, tolerances.loss);
    const [norm, other] = [ours.gradientNorm, reference.gradientNorm];
    if (norm !== undefined && other !== undefined) requireNear("gradient norm", norm, other, tolerances.norm);
  };
}

function tolerancesOf(dtype: string) {
  return dtype === "float32" ? TOLERANCES.float32 : TOLERANCES.half;
}

export function sameLosses(
  ours: Measurement["losses"] = [],
  reference: Measurement["losses"] = [],
  tolerance = LOSS_TOLERANCE,
): void {
  if (ours.length === 0 || ours.length !== reference.length) {
    throw new Error(`Ours has ${ours.length} losses and the reference ${reference.length}.`);
  }
  ours.forEach((loss, index) => {
    requireNear("loss", loss, reference[index] as number, tolerance);
  });
}

/** Every token of every answer. */
export function sameAnswers({ ours, reference }: Round): void {
  if (reference === undefined) return;
  const pairs = pairsOf(ours, reference);
  if (pairs.length === 0) throw new Error("Ours has 0 answers and the reference 0.");
  pairs.forEach(({ answer, other }, index) => {
    const position = Array.from({ length: Math.max(answer.length, other.length) }, (_, i) => i).find(
      (i) => answer[i] !== other[i],
    );
    if (position === undefined) return;
    throw new Error(
      `Answer ${index} differs from position ${position} on: ours has ${shown(answer, position)}, ` +
        `the reference ${shown(other, position)}.`,
    );
  });
}

/** Of the answers to another program's, how many are the same token for token. */
export interface Agreement {
  readonly same: number;
  readonly compared: number;
}

const LEAST_AGREEMENT = 0.75;

/**
 * Compares all rounds' answers with those of a program whose matmuls round otherwise: where two tokens are as likely but for the last
 * bits, one answer goes another way. Throws where more than a quarter of them does: that is no rounding.
 */
export function agreement(rounds: readonly Round[]): Agreement | undefined {
  const pairs = rounds.flatMap(({ ours, reference }) =>
    reference === undefined ? [] : pairsOf(ours, reference),
  );
  if (rounds.every(({ reference }) => reference === undefined)) return undefined;
  const same = pairs.filter(({ answer, other }) => isDeepStrictEqual(answer, other)).length;
  if (pairs.length > 0 && same >= LEAST_AGREEMENT * pairs.length) return { same, compared: pairs.length };
  throw new Error(
    `${same} of ${pairs.length} answers are the reference's, token for token: fewer than ${LEAST_AGREEMENT * 100} %.`,
  );
}

/** Each answer of ours beside the reference's. */
function pairsOf({ answers = [] }: Measurement, { answers: others = [] }: Measurement) {
  if (answers.length !== others.length) {
    throw new Error(`Ours has ${answers.length} answers and the reference ${others.length}.`);
  }
  return answers.map((answer, index) => ({ answer, other: others[index] ?? [] }));
}

function requireNear(what: string, ours: number, reference: number, tolerance: number): void {
  if (Math.abs(ours - reference) <= tolerance * Math.abs(reference)) return;
  throw new Error(
    `The ${what} is ${ours} for ours and ${reference} for the reference: not the same to ${tolerance}.`,
  );
}

function shown(answer: readonly number[], position: number): string {
  return `[${answer.slice(position, position + 5).join(", ")}, …]`;
}
