import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { LadError } from "../../../sdk/src/errors.js";
import { applyNoise, NOISE_KINDS, type Noise, type NoiseContext } from "../../../sdk/src/method/noise.js";
import {
  cover,
  type DrawnNoise,
  lad,
  maskOnly,
  noises,
  noNoise,
  ownDraft,
  uniform,
} from "../../../sdk/src/method/noises/registered.js";
import type { PreparedExample } from "../../../sdk/src/method/prepared-example.js";
import type { Purpose } from "../../../sdk/src/method/random.js";
import golden from "../../contract/noise.json" with { type: "json" };
import { goldenNoise } from "../support/golden-noise.js";

const MASK = 5;

function window(id: bigint, prompt: number, answer: number, tail: number): PreparedExample {
  const ids = Array.from({ length: prompt + answer + tail }, (_, i) => (i < prompt + answer ? 10 + i : 2));
  return {
    id,
    ids,
    answer: Uint8Array.from(ids, (_, i) => (i >= prompt ? 1 : 0)),
    tail: Uint8Array.from(ids, (_, i) => (i >= prompt + answer ? 1 : 0)),
  };
}

function context(seed: bigint, epoch = 0): NoiseContext {
  return { seed, epoch, maskTokenId: MASK, vocabSize: 400 };
}

const anyDrawn = fc.constantFrom<DrawnNoise>(lad(), maskOnly(), cover(), uniform(), noNoise());
const anyNoise = fc.oneof<[fc.Arbitrary<Noise>, fc.Arbitrary<Noise>]>(
  anyDrawn,
  anyDrawn.map((noise) => ownDraft({ noise })),
);
const anyExample = fc
  .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(6), fc.integer({ min: 1, max: 30 }), fc.nat(9))
  .map(([id, prompt, answer, tail]) => window(id, prompt, answer, tail));

const indices = (flags: Uint8Array) => [...flags.keys()].filter((i) => flags[i] === 1);

describe("noise", () => {
  test("is the worker's, token for token", () => {
    const examples = golden.examples.map(
      ({ id, ids, answer, tail }): PreparedExample => ({
        id: BigInt(id),
        ids,
        answer: Uint8Array.from(answer),
        tail: Uint8Array.from(tail),
      }),
    );
    for (const wanted of golden.cases) {
      const noised = applyNoise(examples[wanted.example] as PreparedExample, goldenNoise(wanted.noise), {
        seed: BigInt(wanted.seed),
        epoch: wanted.epoch,
        maskTokenId: golden.maskId,
        vocabSize: golden.vocabSize,
        purpose: wanted.purpose as typeof Purpose.noise,
      });
      expect(noised.ids).toEqual(wanted.ids);
      expect(indices(noised.masked)).toEqual(wanted.masked);
      expect(indices(noised.corrupted)).toEqual(wanted.corrupted);
      expect(noised.time ?? null).toBe(wanted.time);
    }
  });

  test("leaves the prompt as it is, whatever the kind", () => {
    fc.assert(
      fc.property(anyExample, anyNoise, fc.nat(9), (example, noise, epoch) => {
        const { ids } = applyNoise(example, noise, context(3n, epoch));
        const prompt = example.answer.indexOf(1);
        expect(ids.slice(0, prompt)).toEqual(example.ids.slice(0, prompt));
        expect(ids).toHaveLength(example.ids.length);
      }),
    );
  });

  test("leaves the tail clean when told so", () => {
    fc.assert(
      fc.property(anyExample, fc.nat(99), (example, seed) => {
        const drawn = [lad, maskOnly, cover, uniform].map((build) => build({ tailNoise: false }));
        const noises = [...drawn, ...drawn.map((noise) => ownDraft({ noise }))];
        for (const noise of noises) {
          const { corrupted } = applyNoise(example, noise, context(BigInt(seed)));
          expect(indices(corrupted).filter((i) => example.tail[i] === 1)).toEqual([]);
        }
      }),
    );
  });

  test("of own drafts is what the model drafts from: the noise within", () => {
    fc.assert(
      fc.property(anyExample, anyDrawn, fc.nat(9), (example, noise, epoch) => {
        const from = applyNoise(example, ownDraft({ noise }), context(3n, epoch));
        expect(from).toEqual(applyNoise(example, noise, context(3n, epoch)));
      }),
    );
  });

  test("is the same for the same seed, example and epoch, and another for another", () => {
    const example = window(1n, 3, 40, 0);
    const first = applyNoise(example, maskOnly({ minTime: 0.5 }), context(1n));
    expect(applyNoise(example, maskOnly({ minTime: 0.5 }), context(1n))).toEqual(first);
    expect(applyNoise(example, maskOnly({ minTime: 0.5 }), context(2n)).ids).not.toEqual(first.ids);
    expect(applyNoise(example, maskOnly({ minTime: 0.5 }), context(1n, 1)).ids).not.toEqual(first.ids);
  });

  test("of mask-only masks at least one token, and tells those masks from the mask token as text", () => {
    const example: PreparedExample = {
      id: 0n,
      ids: [9, MASK, 11],
      answer: Uint8Array.of(0, 1, 1),
      tail: Uint8Array.of(0, 0, 0),
    };
    for (let seed = 0n; seed < 50n; seed++) {
      const { masked, corrupted } = applyNoise(example, maskOnly(), context(seed));
      expect(masked.includes(1)).toBe(true);
      expect(corrupted[1]).toBe(0);
    }
  });
});

describe("a noise that was written out by hand", () => {
  const example = window(3n, 1, 5, 0);
  const context = { seed: 5n, epoch: 0, maskTokenId: 9, vocabSize: 20 };

  it.each(NOISE_KINDS)("has the defaults of %s", (kind) => {
    const bare = { kind } as Noise;
    expect(applyNoise(example, bare, context)).toEqual(applyNoise(example, noises[kind](), context));
  });

  it.each(["lad", { kind: "mask_only" }, undefined, { kind: "lad", minTime: 1 }])(
    "is refused as %j",
    (given) => {
      expect(() => applyNoise(example, given as never, context)).toThrow(LadError);
    },
  );
});
