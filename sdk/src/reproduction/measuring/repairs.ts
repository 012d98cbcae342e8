/** Right answers that are given errors of one kind, and what a variant makes of them. */
import { isDeepStrictEqual } from "node:util";
import type { Base } from "../../base.js";
import { endOfAnswer } from "../../method/answer-end.js";
import { applyNoise, type Noise } from "../../method/noise.js";
import { lad } from "../../method/noises/registered.js";
import { refine } from "../../method/policies/registered.js";
import type { PreparedExample } from "../../method/prepared-example.js";
import { Purpose } from "../../method/random.js";
import type { Repairs } from "../measured.js";
import { type ErrorKind, REPAIR_ITERATIONS, type RepairsPiece } from "../pieces.js";
import { recipeOf } from "../setting.js";
import type { Lab } from "./lab.js";
import type { Computing } from "./training.js";

const NOTHING = {
  fullMaskProbability: 0,
  maskProbability: 0,
  swapScale: 0,
  duplicateScale: 0,
  shiftScale: 0,
  tailNoise: false,
} as const;

/** Errors of one kind each, as strong as the method's noise has them. */
const ERRORS: Readonly<Record<ErrorKind, Noise>> = {
  swaps: lad({ ...NOTHING, swapScale: 0.25 }),
  duplications: lad({ ...NOTHING, duplicateScale: 0.25 }),
  shifts: lad({ ...NOTHING, shiftScale: 1 }),
};

export async function repair(
  lab: Lab,
  { variant, errors }: RepairsPiece,
  { signal }: Computing,
): Promise<Repairs> {
  const base = await lab.base(variant.base);
  const adapter = await lab.adapter(variant, signal);
  const { windowTokens, maxPromptTokens = 0 } = recipeOf(lab.setting, variant.base).training;
  const window = { windowTokens, maxPromptTokens, limit: lab.setting.questions, signal };
  const canvases: { ids: number[]; draft: number[] }[] = [];
  const right: number[][] = [];
  for await (const example of base.examples(lab.data.easy, window)) {
    const start = example.answer.indexOf(1);
    const clean = example.ids.slice(start);
    const draft = corrupted(example, errors, base, lab.setting.seed).slice(start);
    if (draft.every((id, i) => id === clean[i])) continue;
    canvases.push({ ids: example.ids.slice(0, start), draft });
    right.push(clean);
  }
  const policy = refine({ iterations: REPAIR_ITERATIONS });
  const answers = await adapter.sampleMany({ canvases, policy, frames: false, signal }).result();
  const { stopTokenIds } = base.info;
  return {
    repaired: answers.map(({ ids }, i) => {
      const wanted = right[i] ?? [];
      return isDeepStrictEqual([...ids], wanted.slice(0, endOfAnswer(wanted, stopTokenIds)));
    }),
  };
}

/** The example's ids with errors in its answer, the same at every call. */
function corrupted(example: PreparedExample, errors: ErrorKind, base: Base, seed: number): number[] {
  const { maskTokenId } = base;
  const context = {
    seed: BigInt(seed),
    epoch: 0,
    purpose: Purpose.validationNoise,
    maskTokenId,
    vocabSize: base.info.vocabSize,
  };
  return Array.from(applyNoise(example, ERRORS[errors], context).ids);
}
