import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AnswerState,
  grownAnswer,
  type IterationPrediction,
  maskedAnswer,
  type PolicyStep,
} from "../../../sdk/src/method/answer-state.js";
import { tally } from "../../../sdk/src/method/choose.js";
import {
  chooseRemasked,
  lladaBudget,
  lladaStep,
  type RemaskPolicy,
  type RemaskSchedule,
  refineStep,
  remaskShare,
  remaskStep,
  shareCount,
} from "../../../sdk/src/method/policies.js";
import golden from "../../contract/remask.json" with { type: "json" };

const MASK = golden.maskTokenId;

type Step = (state: AnswerState, prediction: IterationPrediction) => PolicyStep;

/** The step of a golden run. */
function stepOf(run: (typeof golden.runs)[number]): Step {
  if (run.mode === "refine") return refineStep;
  const stopTokenIds = [run.policy?.eosTokenId ?? 0];
  if (run.mode === "remask") {
    const policy = { ...run.policy, stopTokenIds } as unknown as RemaskPolicy;
    return (state, prediction) => remaskStep(state, prediction, policy);
  }
  const { blockTokens = 0, maxIterations = 0, eosConfidenceOff = false } = run.policy ?? {};
  const budget = lladaBudget(run.positions, blockTokens, maxIterations);
  return (state, prediction) => lladaStep(state, prediction, { budget, eosConfidenceOff, stopTokenIds });
}

const positionsOf = (mask: readonly boolean[]) => mask.flatMap((is, p) => (is ? [p] : []));

describe("the built-in policies", () => {
  for (const run of golden.runs) {
    test(`are the worker's, step for step: ${run.mode}, ${run.name}`, () => {
      const step = stepOf(run);
      const seed = BigInt(run.seed);
      let state = maskedAnswer(run.positions, MASK);
      for (const [iteration, { prediction, sampled, next }] of run.steps.entries()) {
        const made = step(state, { ...prediction, iteration, iterations: run.iterations, seed });
        expect(made.sampled.ids).toEqual(sampled);
        expect(made.next.ids).toEqual(next.ids);
        expect(positionsOf(made.next.masked)).toEqual(next.masked);
        expect(positionsOf(made.next.kept)).toEqual(next.kept);
        expect(made.next.confidences).toEqual(next.confidences);
        state = made.next;
      }
      expect(tally(state.masked)).toBe(0);
    });
  }

  test("re-mask the worker's shares and counts", () => {
    for (const { policy, iterations, positions, shares, counts } of golden.schedules) {
      for (const [iteration, wanted] of shares.entries()) {
        const share = remaskShare(policy as RemaskSchedule, iteration, iterations);
        expect(Math.abs(share - wanted)).toBeLessThanOrEqual(1e-14 * wanted);
        expect(shareCount(share, positions)).toBe(counts[iteration]);
      }
    }
  });

  test("spend the worker's budgets", () => {
    for (const { answerTokens, blockTokens, iterations, steps } of golden.budgets) {
      expect(lladaBudget(answerTokens, blockTokens, iterations)).toEqual(steps);
    }
  });
});

describe("chooseRemasked", () => {
  const policies = fc.record({
    schedule: fc.constantFrom("exponential" as const, "linear" as const),
    sharpness: fc.double({ min: 1e-3, max: 50, noNaN: true }),
    noiseStart: fc.double({ min: 0, max: 1, noNaN: true }),
    positions: fc.constantFrom("random" as const, "clustered" as const, "confidence" as const),
    minGuidanceWeight: fc.constantFrom(0.01, 0.1, 1),
    clusterSpan: fc.integer({ min: 1, max: 9 }),
    retention: fc.constantFrom("none" as const, "editable" as const, "locked" as const),
    maskTokenId: fc.constant(MASK),
    stopTokenIds: fc.constant([2, 3]),
  });

  test("chooses exactly floor(share · N) of the positions that are not kept, or all of those", () => {
    const answers = fc.array(
      fc.record({ id: fc.nat(4), confidence: fc.float({ min: 0, max: 1, noNaN: true }), kept: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(
        policies,
        answers,
        fc.bigInt(0n, 2n ** 64n - 1n),
        fc.nat(7),
        (policy, answer, seed, iteration) => {
          const kept = answer.map((each) => each.kept);
          const sampled = {
            ids: answer.map((each) => each.id),
            confidences: answer.map((each) => each.confidence),
          };
          const chosen = chooseRemasked({ kept }, sampled, policy, { iteration, iterations: 8, seed });
          const wanted = shareCount(remaskShare(policy, iteration, 8), answer.length);
          expect(tally(chosen)).toBe(Math.min(wanted, answer.length - tally(kept)));
          expect(chosen.some((is, p) => is && kept[p])).toBe(false);
        },
      ),
    );
  });
});

describe("a policy's step", () => {
  test("never writes to the state it was given", () => {
    const frozen = (count: number): AnswerState => {
      const state = maskedAnswer(count, MASK);
      for (const value of Object.values(state)) Object.freeze(value);
      return Object.freeze(state);
    };
    for (const run of golden.runs) {
      const [first] = run.steps;
      if (first === undefined) throw new Error("a run has steps");
      const prediction = {
        ...first.prediction,
        iteration: 0,
        iterations: run.iterations,
        seed: BigInt(run.seed),
      };
      expect(() => stepOf(run)(frozen(run.positions), prediction)).not.toThrow();
    }
  });

  test("refuses a prediction of another length", () => {
    const prediction = { ids: [1, 2], confidences: [1, 1], iteration: 0, iterations: 1, seed: 0n };
    expect(() => refineStep(maskedAnswer(3, MASK), prediction)).toThrow("2 positions: the answer has 3");
  });

  test("of LLaDA commit a stop token where nothing else is left, whichever it is", () => {
    const policy = { budget: lladaBudget(4, 0, 2), eosConfidenceOff: true, stopTokenIds: [2, 3] };
    const prediction = { ids: [2, 3, 7, 8], confidences: [0.9, 0.8, 0.2, 0.1], iteration: 0, iterations: 2 };
    const { next } = lladaStep(maskedAnswer(4, MASK), { ...prediction, seed: 0n }, policy);
    expect(next.kept).toEqual([false, false, true, true]);
  });

  test("re-mask stop tokens and others in proportion to how many there are, whichever they are", () => {
    const policy = {
      schedule: "linear" as const,
      sharpness: 5,
      noiseStart: 0.5,
      positions: "confidence" as const,
      minGuidanceWeight: 0.1,
      clusterSpan: 4,
      retention: "none" as const,
      maskTokenId: MASK,
      stopTokenIds: [2, 3],
    };
    const ids = [7, 2, 8, 3, 9, 2, 10, 3];
    const confidences = ids.map((_, p) => 0.9 - p / 20);
    const seen = { ids, confidences, iteration: 0, iterations: 4, seed: 1n };
    const { masked } = remaskStep(maskedAnswer(8, MASK), seen, policy).next;
    expect(masked.filter((is, p) => is && p % 2 === 1)).toHaveLength(2);
    expect(tally(masked)).toBe(4);
  });

  test("of LLaDA refuses to go on when the budget is spent", () => {
    const policy = { budget: lladaBudget(1, 0, 1), eosConfidenceOff: false, stopTokenIds: [2] };
    const prediction = { ids: [7], confidences: [1], iteration: 1, iterations: 1, seed: 0n };
    expect(() => lladaStep(maskedAnswer(1, MASK), prediction, policy)).toThrow("budget is spent");
    expect(() => lladaBudget(9, 4, 2)).toThrow("3 blocks");
  });
});

test("an answer grows by masks at its end", () => {
  const { next } = refineStep(maskedAnswer(1, MASK), {
    ids: [7],
    confidences: [0.5],
    iteration: 0,
    iterations: 2,
    seed: 0n,
  });
  expect(grownAnswer(next, 2, MASK)).toEqual({
    ids: [7, MASK, MASK],
    masked: [false, true, true],
    kept: [false, false, false],
    confidences: [0.5, 0, 0],
  });
});
