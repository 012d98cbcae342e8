import {
  type Adapter,
  type AttentionModeName,
  type Base,
  causal,
  likelihoodMasks,
  monteCarlo,
  pseudoLikelihood,
  type Runtime,
  type ScoreItem,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itemKey } from "../../../sdk/src/evaluation/scoring.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const MODES = ["full", "prefix", "causal-prefix"] as const;
const fast = { windowTokens: 48, batchSize: 4, warmupSteps: 1, learningRate: 0.01, seed: 3 };

const scratch = scratchFolder();
let runtime: Runtime;
let base: Base;
let adapter: Adapter;
let items: ScoreItem[];

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 4 });
  const attended = { attention: "causal-prefix", loss: "all-answer-tokens" } as const;
  await adapter.train({ data: EXAMPLES, ...fast, ...attended, steps: 4 }).result();
  items = await Promise.all(
    Array.from({ length: 16 }, async (_, i) => ({
      ids: await base.encode(`Question ${Math.floor(i / 4)}: say it.`),
      continuation: await base.encode(`answer ${i % 4}`),
    })),
  );
});

afterAll(() => runtime?.close());

/** log p of the tokens at the masked positions of a continuation, by one `predict`. */
async function maskedLogLikelihoods(
  prompt: readonly number[],
  continuation: readonly number[],
  masked: readonly number[],
  attention: AttentionModeName,
): Promise<number[]> {
  const ids = [...prompt, ...continuation];
  for (const position of masked) ids[prompt.length + position] = base.maskTokenId;
  const canvases = [{ ids, answerStart: prompt.length }];
  const [prediction] = await adapter.predict({ canvases, logits: true, attention });
  const { vocabSize } = base.info;
  return masked.map((position) => {
    const logits = prediction?.logits.subarray(position * vocabSize, (position + 1) * vocabSize) ?? [];
    const total = Math.log(Array.from(logits).reduce((sum, logit) => sum + Math.exp(logit), 0));
    return Number(logits[continuation[position] as number]) - total;
  });
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
const idsOf = ({ ids, continuation }: ScoreItem) => ({
  prompt: Array.from((ids ?? []) as readonly number[]),
  continuation: Array.from(continuation as readonly number[]),
});

describe.each(MODES)("in the attention mode %s", (attention) => {
  it("the pseudo-likelihood is what `predict` gives a continuation of masks", async () => {
    const asked = items.slice(0, 3);
    const scores = await adapter.score({ items: asked, likelihood: pseudoLikelihood(), attention });
    for (const [i, score] of scores.entries()) {
      const { prompt, continuation } = idsOf(asked[i] as ScoreItem);
      const all = continuation.map((_, position) => position);
      const wanted = await maskedLogLikelihoods(prompt, continuation, all, attention);
      expect([...score.tokenLogLikelihoods].map((value, at) => value - Number(wanted[at]))).toEqual(
        wanted.map(() => expect.closeTo(0, 4)),
      );
      expect(score.logLikelihood).toBeCloseTo(sum(wanted), 3);
    }
  });

  it("the Monte-Carlo likelihood is the same estimate written with `predict`", async () => {
    const likelihood = monteCarlo({ samples: 5, seed: 7 });
    const asked = items.slice(0, 2);
    const scores = await adapter.score({ items: asked, likelihood, attention });
    for (const [i, score] of scores.entries()) {
      const { prompt, continuation } = idsOf(asked[i] as ScoreItem);
      const { length } = continuation;
      const key = itemKey({ prompt, continuation });
      const masks = likelihoodMasks({ seed: 7n, key, length, samples: 5, stratified: true });
      for (const [sample, masked] of masks.entries()) {
        const values = await maskedLogLikelihoods(prompt, continuation, masked, attention);
        expect(score.estimates[sample]).toBeCloseTo((length / masked.length) * sum(values), 3);
      }
      expect(score.logLikelihood).toBeCloseTo(sum(score.estimates) / 5, 9);
      expect(sum(score.tokenLogLikelihoods)).toBeCloseTo(score.logLikelihood, 3);
    }
  });
});

it("the Monte-Carlo likelihood is minus the weighted losses of `forwardBackward`", async () => {
  const spare = await base.createAdapter({ rank: 2 });
  const [asked] = items as [ScoreItem];
  const { prompt, continuation } = idsOf(asked);
  const { length } = continuation;
  const [score] = await spare.score({ items: [asked], likelihood: monteCarlo({ samples: 3 }) });
  const masks = likelihoodMasks({
    seed: 0n,
    key: itemKey({ prompt, continuation }),
    length,
    samples: 3,
    stratified: true,
  });
  const sequences = masks.map((masked) => {
    const isMasked = (i: number) => masked.includes(i - prompt.length);
    const ids = [...prompt, ...continuation];
    return {
      ids: ids.map((id, i) => (isMasked(i) ? base.maskTokenId : id)),
      targets: ids.map((id, i) => (isMasked(i) ? id : -1)),
      weights: ids.map((_, i) => (isMasked(i) ? length / masked.length : 0)),
    };
  });
  const { loss } = await spare.forwardBackward({ sequences });
  expect(score?.logLikelihood).toBeCloseTo(-loss / 3, 3);
  await spare.drop();
});

it("an adapter is scored in the attention mode that it was trained in, unless another is asked for", async () => {
  const likelihood = pseudoLikelihood();
  const asTrained = await adapter.score({ items, likelihood });
  expect(await adapter.score({ items, likelihood, attention: "causal-prefix" })).toEqual(asTrained);
  expect(await adapter.score({ items, likelihood, attention: "full" })).not.toEqual(asTrained);
});

it.each([
  ["causal", causal()],
  ["pseudo", pseudoLikelihood()],
  ["Monte-Carlo", monteCarlo({ samples: 4 })],
] as const)(
  "%s scores have the same bytes, 1, 4 or 16 items a call, with a training run beside",
  async (_, likelihood) => {
    const by = async (size: number, order = items) => {
      const groups = Array.from({ length: items.length / size }, (_, i) =>
        order.slice(i * size, (i + 1) * size),
      );
      const scores = await Promise.all(groups.map((group) => adapter.score({ items: group, likelihood })));
      return scores.flat();
    };
    const whole = await by(16);
    const other = await base.createAdapter({ rank: 2 });
    const run = other.train({ data: EXAMPLES, ...fast, steps: 100_000, detached: true });
    for await (const event of run) if (event.type === "step") break;
    expect(await by(1)).toEqual(whole);
    expect(await by(4)).toEqual(whole);
    expect((await by(4, items.toReversed())).toReversed()).toEqual(whole);
    await run.cancel();
    await other.drop();
  },
);

it("says which likelihood goes with which attention mode", async () => {
  // @ts-expect-error
  await expect(adapter.score({ items, attention: "full" })).rejects.toThrow(/another likelihood/);
  // @ts-expect-error
  await expect(adapter.score({ items, likelihood: "pseudo", attention: "causal" })).rejects.toThrow(
    /causal-prefix/,
  );
  await expect(adapter.score({ items, likelihood: { kind: "monte-carlo", samples: 0 } })).rejects.toThrow(
    /samples/,
  );
});
