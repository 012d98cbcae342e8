/** Whether two sides computed the same; where they did not, their times mean nothing, and an error says so. */
import type { Measurement } from "./side.js";
import type { Round } from "./turns.js";

const LOSS_TOLERANCE = 1e-4;
/** On random tokens a gradient through thirty layers carries float32's rounding up to here: 2e-3 from float64's was seen. */
const NORM_TOLERANCE = 1e-2;

/** Losses equal to 1e-4 and gradient norms to 1e-2 of the reference's. */
export function sameTraining({ ours, reference }: Round): void {
  if (reference === undefined) return;
  sameLosses(ours.losses, reference.losses);
  const [norm, other] = [ours.gradientNorm, reference.gradientNorm];
  if (norm !== undefined && other !== undefined) requireNear("gradient norm", norm, other, NORM_TOLERANCE);
}

export function sameLosses(ours: Measurement["losses"] = [], reference: Measurement["losses"] = []): void {
  if (ours.length === 0 || ours.length !== reference.length) {
    throw new Error(`Ours has ${ours.length} losses and the reference ${reference.length}.`);
  }
  ours.forEach((loss, index) => {
    requireNear("loss", loss, reference[index] as number, LOSS_TOLERANCE);
  });
}

/** Every token of every answer. */
export function sameAnswers({ ours, reference }: Round): void {
  if (reference === undefined) return;
  const [answers = [], others = []] = [ours.answers, reference.answers];
  if (answers.length === 0 || answers.length !== others.length) {
    throw new Error(`Ours has ${answers.length} answers and the reference ${others.length}.`);
  }
  answers.forEach((answer, index) => {
    const other = others[index] ?? [];
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

function requireNear(what: string, ours: number, reference: number, tolerance: number): void {
  if (Math.abs(ours - reference) <= tolerance * Math.abs(reference)) return;
  throw new Error(
    `The ${what} is ${ours} for ours and ${reference} for the reference: not the same to ${tolerance}.`,
  );
}

function shown(answer: readonly number[], position: number): string {
  return `[${answer.slice(position, position + 5).join(", ")}, …]`;
}
