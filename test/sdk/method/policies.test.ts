import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AnswerState, grownAnswer, maskedAnswer } from "../../../sdk/src/method/answer-state.js";
import { tally } from "../../../sdk/src/method/choose.js";
import { definitionOf } from "../../../sdk/src/method/policies/policy.js";
import {
  ar,
  chooseRemasked,
  editing,
  editingStep,
  llada,
  lladaBudget,
  lladaStep,
  policies,
  type RemaskOptions,
  refine,
  refineStep,
  remask,
  remaskShare,
  remaskStep,
  shareCount,
} from "../../../sdk/src/method/policies/registered.js";
import {
  POLICY_KINDS,
  type Policy,
  type PolicyKind,
  policyDefinition,
  policyStep,
} from "../../../sdk/src/method/policy.js";
import golden from "../../contract/remask.json" with { type: "json" };

const MASK = golden.maskTokenId;

type GoldenRun = (typeof golden.runs)[number];
type LladaSettings = { blockTokens?: number; maxIterations?: number; eosConfidenceOff?: boolean };
type Beginning = { ids: number[]; masked: number[]; pinned: number[] };
type Settings = RemaskOptions & { maskTokenId?: number; eosTokenId?: number };

/** The policy of a golden run. */
function policyOf({ mode, policy, iterations }: GoldenRun): Policy {
  if (mode === "refine") return refine({ iterations });
  if (mode === "remask") return remaskOf(policy as Settings, iterations);
  if (mode === "llada") return lladaOf(policy as LladaSettings);
  const build: (options: never) => Policy = policies[mode as PolicyKind];
  return build(policy as never);
}

function lladaOf({ blockTokens, maxIterations, eosConfidenceOff }: LladaSettings): Policy {
  return llada({ blockTokens, iterations: maxIterations, eosConfidenceOff });
}

function remaskOf({ maskTokenId: _, eosTokenId: __, ...options }: Settings, iterations: number) {
  return remask({ ...options, iterations });
}

/** What keys a golden run's steps, and what a policy may know of its base. */
function contextOf(run: GoldenRun) {
  const stopTokenIds = [(run.policy as Settings | undefined)?.eosTokenId ?? 0];
  const { canvas, padTokenIds } = run as { canvas?: number; padTokenIds?: number[] };
  return { seed: BigInt(run.seed), canvas, stopTokenIds, padTokenIds, maskTokenId: MASK };
}

/** What a golden run begins from. */
function beginningOf({ begin, positions }: GoldenRun & { begin?: Beginning }): AnswerState {
  const state = maskedAnswer(positions, MASK);
  if (begin === undefined) return state;
  const masked = maskOf(begin.masked, positions);
  const confidences = masked.map((is) => (is ? 0 : 1));
  return { ...state, ids: begin.ids, masked, confidences, pinned: maskOf(begin.pinned, positions) };
}

function maskOf(marked: readonly number[], count: number): boolean[] {
  return Array.from({ length: count }, (_, p) => marked.includes(p));
}

const CONTEXT = { seed: 0n, stopTokenIds: [2, 3], maskTokenId: MASK };

const positionsOf = (mask: readonly boolean[]) => mask.flatMap((is, p) => (is ? [p] : []));

describe("the built-in policies", () => {
  for (const run of golden.runs) {
    test(`are the worker's, step for step: ${run.mode}, ${run.name}`, () => {
      const policy = policyOf(run);
      const context = contextOf(run);
      const begin = beginningOf(run);
      let state = begin;
      let ends = false;
      for (const [iteration, { prediction, sampled, next }] of run.steps.entries()) {
        const made = policyStep(state, { ...prediction, iteration, ...context }, policy);
        expect(made.sampled.ids).toEqual(sampled);
        expect(made.next.ids).toEqual(next.ids);
        expect(positionsOf(made.next.masked)).toEqual(next.masked);
        expect(positionsOf(made.next.kept)).toEqual(next.kept);
        expect(made.next.confidences).toEqual(next.confidences);
        expect(made.next.memory).toEqual((next as { memory?: number[] }).memory);
        expect(made.next.pinned).toEqual(begin.pinned);
        ends = made.done === true;
        state = made.next;
      }
      expect(tally(state.masked)).toBe(0);
      expect(ends || run.steps.length === run.iterations).toBe(true);
    });
  }

  test("re-mask the worker's shares and counts", () => {
    for (const { policy, iterations, positions, shares, counts } of golden.schedules) {
      for (const [iteration, wanted] of shares.entries()) {
        const share = remaskShare(remaskOf(policy as Settings, iterations), iteration);
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
  const options = fc.record({
    iterations: fc.constant(8),
    schedule: fc.constantFrom("exponential" as const, "linear" as const),
    sharpness: fc.double({ min: 1e-3, max: 50, noNaN: true }),
    noiseStart: fc.double({ min: 0, max: 1, noNaN: true }),
    positions: fc.constantFrom("random" as const, "clustered" as const, "confidence" as const),
    minGuidanceWeight: fc.constantFrom(0.01, 0.1, 1),
    clusterSpan: fc.integer({ min: 1, max: 9 }),
    retention: fc.constantFrom("none" as const, "editable" as const, "locked" as const),
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
        options.map(remask),
        answers,
        fc.bigInt(0n, 2n ** 64n - 1n),
        fc.nat(7),
        (policy, answer, seed, iteration) => {
          const kept = answer.map((each) => each.kept);
          const sampled = {
            ids: answer.map((each) => each.id),
            confidences: answer.map((each) => each.confidence),
          };
          const chosen = chooseRemasked({ kept }, sampled, policy, { ...CONTEXT, iteration, seed });
          const wanted = shareCount(remaskShare(policy, iteration), answer.length);
          expect(tally(chosen)).toBe(Math.min(wanted, answer.length - tally(kept)));
          expect(chosen.some((is, p) => is && kept[p])).toBe(false);
        },
      ),
    );
  });
});

describe.each(POLICY_KINDS)("the policy %s", (kind) => {
  const { options, denoising } = policyDefinition(kind);
  const policy = policies[kind]();

  test("says of itself what its builder makes", () => {
    const { kind: name, ...made } = policy;
    expect([policyDefinition(kind).kind, name]).toEqual([kind, kind]);
    expect(options.parse({})).toEqual(made);
    expect(definitionOf(policies[kind])).toBe(policyDefinition(kind));
  });

  test.runIf(denoising !== undefined)(
    "leaves no mask after its last forward (skipped where it does not denoise)",
    () => {
      for (const tokens of [1, 7, 40]) {
        let state = maskedAnswer(tokens, MASK);
        const ids = Array<number>(tokens).fill(7);
        const confidences = ids.map((_, p) => p / tokens);
        for (let iteration = 0; iteration < (denoising?.forwards(policy, tokens) ?? 0); iteration++) {
          const more = { entropies: confidences, standing: confidences };
          const step = policyStep(state, { ids, confidences, ...more, iteration, ...CONTEXT }, policy);
          state = step.next;
          if (step.done) break;
        }
        expect(state.ids).toEqual(ids);
        expect(tally(state.masked)).toBe(0);
      }
    },
  );
});

describe("a policy's step", () => {
  test("is refused where nothing is denoised", () => {
    const prediction = { ids: [1], confidences: [1], iteration: 0, ...CONTEXT };
    expect(() => policyStep(maskedAnswer(1, MASK), prediction, ar())).toThrow("denoises nothing");
  });

  test("never writes to the state it was given", () => {
    const frozen = (run: GoldenRun): AnswerState => {
      const state = beginningOf(run);
      for (const value of Object.values(state)) Object.freeze(value);
      return Object.freeze(state);
    };
    for (const run of golden.runs) {
      const [first] = run.steps;
      if (first === undefined) throw new Error("a run has steps");
      const prediction = {
        ...first.prediction,
        iteration: 0,
        ...contextOf(run),
      };
      expect(() => policyStep(frozen(run), prediction, policyOf(run))).not.toThrow();
    }
  });

  test("refuses a prediction of another length", () => {
    const prediction = { ids: [1, 2], confidences: [1, 1] };
    expect(() => refineStep(maskedAnswer(3, MASK), prediction)).toThrow("2 positions: the answer has 3");
  });

  test("of LLaDA commit a stop token where nothing else is left, whichever it is", () => {
    const policy = llada({ iterations: 2, eosConfidenceOff: true });
    const prediction = { ids: [2, 3, 7, 8], confidences: [0.9, 0.8, 0.2, 0.1], iteration: 0 };
    const { next } = lladaStep(maskedAnswer(4, MASK), { ...prediction, ...CONTEXT }, policy);
    expect(next.kept).toEqual([false, false, true, true]);
  });

  test("re-mask stop tokens and others in proportion to how many there are, whichever they are", () => {
    const policy = remask({ iterations: 4, schedule: "linear", noiseStart: 0.5, positions: "confidence" });
    const ids = [7, 2, 8, 3, 9, 2, 10, 3];
    const confidences = ids.map((_, p) => 0.9 - p / 20);
    const seen = { ids, confidences, iteration: 0, ...CONTEXT, seed: 1n };
    const { masked } = remaskStep(maskedAnswer(8, MASK), seen, policy).next;
    expect(masked.filter((is, p) => is && p % 2 === 1)).toHaveLength(2);
    expect(tally(masked)).toBe(4);
  });

  test("of LLaDA commit what an edited answer has masked anywhere, the last step whatever is left", () => {
    const state = {
      ids: [MASK, 8, 9, MASK, 8, MASK],
      masked: [true, false, false, true, false, true],
      kept: [false, true, true, false, true, false],
      confidences: [0, 1, 1, 0, 1, 0],
    };
    const seen = { ids: [7, 7, 7, 7, 7, 7], confidences: [0.5, 0, 0, 0.6, 0, 0.7], ...CONTEXT };
    const policy = llada({ iterations: 3, blockTokens: 2 });
    const second = lladaStep(state, { ...seen, iteration: 1 }, policy).next;
    expect(second.masked).toEqual([false, false, false, false, false, true]);
    const none = { ...second, masked: second.masked.map(() => false) };
    expect(lladaStep(none, { ...seen, iteration: 1 }, policy).next.masked).not.toContain(true);
    const ahead = { ...state, masked: [false, false, false, false, false, true] };
    expect(lladaStep(ahead, { ...seen, iteration: 0 }, policy).next.masked).not.toContain(true);
    const left = lladaStep(state, { ...seen, iteration: 2 }, policy).next;
    expect(left.masked).not.toContain(true);
  });

  test("of editing remember the last 4,096 whole answers", () => {
    const hashes = Array.from({ length: 4096 }, (_, n) => n);
    const state = {
      ...maskedAnswer(2, MASK),
      ids: [7, 8],
      masked: [false, false],
      memory: [0, 0, ...hashes],
    };
    const prediction = { ids: [9, 8], confidences: [0.9, 0.9], iteration: 0, ...CONTEXT };
    const { memory = [] } = editingStep(state, prediction, editing()).next;
    expect(memory.slice(0, 4)).toEqual([1, 0, 1, 2]);
    expect(memory).toHaveLength(2 + 4096);
  });

  test("of LLaDA refuses to go on when the budget is spent", () => {
    const prediction = { ids: [7], confidences: [1], iteration: 1, ...CONTEXT };
    const policy = llada({ iterations: 1 });
    expect(() => lladaStep(maskedAnswer(1, MASK), prediction, policy)).toThrow("budget is spent");
    expect(() => lladaBudget(9, 4, 2)).toThrow("3 blocks");
  });
});

test("an answer grows by masks at its end", () => {
  const { next } = refineStep(maskedAnswer(1, MASK), {
    ids: [7],
    confidences: [0.5],
  });
  expect(grownAnswer(next, 2, MASK)).toEqual({
    ids: [7, MASK, MASK],
    masked: [false, true, true],
    kept: [false, false, false],
    confidences: [0.5, 0, 0],
  });
});
