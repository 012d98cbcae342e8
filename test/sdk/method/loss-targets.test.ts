import { describe, expect, test } from "vitest";
import {
  IGNORE_INDEX,
  type LossSpec,
  supervisedPositions,
  targeted,
} from "../../../sdk/src/method/loss-targets.js";
import { applyNoise } from "../../../sdk/src/method/noise.js";
import type { PreparedExample } from "../../../sdk/src/method/prepared-example.js";
import golden from "../../contract/loss.json" with { type: "json" };
import noiseGolden from "../../contract/noise.json" with { type: "json" };
import { goldenNoise } from "../support/golden-noise.js";

const examples = noiseGolden.examples.map(
  ({ id, ids, answer, tail }): PreparedExample => ({
    id: BigInt(id),
    ids,
    answer: Uint8Array.from(answer),
    tail: Uint8Array.from(tail),
  }),
);

const allAnswer: LossSpec = {
  supervise: "all-answer-tokens",
  tail: true,
  tailWeight: 1,
  weighting: "uniform",
};

describe("targets and weights", () => {
  test("are the worker's, to the last bit", () => {
    for (const { noise, loss, seed, epoch, sequences } of golden) {
      const noised = examples.map((example) =>
        applyNoise(example, goldenNoise(noise), {
          seed: BigInt(seed),
          epoch,
          maskTokenId: noiseGolden.maskId,
          vocabSize: noiseGolden.vocabSize,
        }),
      );
      const own = targeted(examples, noised, { tailWeight: 1, ...loss } as LossSpec);
      expect(
        own.map(({ targets, weights }) => ({
          supervised: [...targets.keys()].filter((i) => targets[i] !== IGNORE_INDEX),
          ...("tailWeight" in loss ? { weights: [...weights] } : { weight: Math.max(...weights) }),
        })),
      ).toEqual(sequences);
    }
  });

  test("of uniform weighting sum to 1 over a batch, each example having the same share", () => {
    const sequences = targeted(examples, examples, allAnswer);
    for (const { weights } of sequences) {
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1 / examples.length, 6);
    }
  });

  test("share an example's weight out, a token of the tail taking so much of what one of the answer's own takes", () => {
    const sequences = targeted(examples, examples, { ...allAnswer, tailWeight: 0.25 });
    for (const [i, { weights, targets }] of sequences.entries()) {
      const tail = examples[i]?.tail ?? [];
      const own = weights.find((weight, p) => weight > 0 && tail[p] !== 1) ?? Number.NaN;
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1 / examples.length, 6);
      for (const [p, weight] of weights.entries()) {
        if (targets[p] !== IGNORE_INDEX) expect(weight / own).toBeCloseTo(tail[p] === 1 ? 0.25 : 1, 6);
      }
    }
  });

  test("are zero for an example of which nothing is supervised, and it does not count", () => {
    const [first, second] = examples as [PreparedExample, PreparedExample];
    const shown = { ids: first.ids.map((id, i) => (i === 6 ? id + 1 : id)) };
    const loss: LossSpec = { ...allAnswer, supervise: "corrupted-answer-tokens" };
    const [one, none] = targeted([first, second], [shown, second], loss);
    expect(one?.weights[6]).toBe(1);
    expect(none?.weights.every((weight) => weight === 0)).toBe(true);
    expect(none?.targets.every((target) => target === IGNORE_INDEX)).toBe(true);
  });

  test("name a noised example of another length, and a missing t", () => {
    const [example] = examples as [PreparedExample];
    expect(() => supervisedPositions(example, { ids: [1] }, allAnswer)).toThrow(
      /has 1 ids, the clean one 24/,
    );
    const inverse: LossSpec = { ...allAnswer, weighting: "inverse-time" };
    expect(() => targeted([example], [example], inverse)).toThrow(/need the t of every noised example/);
  });
});
