/** The noise figure of the method's page draws what a run draws: it is the SDK's own code. */
import { describe, expect, it } from "vitest";
import {
  corrupted,
  exampleOf,
  frequencies,
  NOISE_NAMES,
  noiseNamed,
  shownOf,
  tokensOf,
} from "../../docs/.vitepress/noise/draw.js";
import { cover, fixed, lad, maskOnly, Purpose, uniform } from "../../sdk/src/index.js";
import golden from "../contract/noise.json" with { type: "json" };
import { goldenNoise } from "../sdk/support/golden-noise.js";

const SENTENCE = "The capital of Peru is Lima.";
const LEVELS = { masked: 0.5, swapped: 0, duplicated: 0, shifted: 0 };

describe("the noise figure", () => {
  it("takes a sentence apart into words with the space before them, and signs", () => {
    expect(tokensOf(SENTENCE)).toEqual(["The", " capital", " of", " Peru", " is", " Lima", "."]);
    expect(tokensOf("")).toEqual([]);
    expect(tokensOf("Çà, 3 <b>")).toEqual(["Çà", ",", " 3", " <", "b", ">"]);
  });

  it.each(NOISE_NAMES)("shows of %s the very tokens that the worker draws, in every golden case", (name) => {
    const cases = golden.cases.filter(
      ({ noise, purpose }) => noise.kind === name && purpose === Purpose.noise,
    );
    expect(cases.length).toBeGreaterThan(10);
    for (const { example: number, noise, seed, epoch, ids, masked } of cases) {
      const { id, ids: clean, answer, tail } = golden.examples[number] as (typeof golden.examples)[number];
      const example = {
        id: BigInt(id),
        ids: clean,
        answer: Uint8Array.from(answer),
        tail: Uint8Array.from(tail),
      };
      const { maskId: maskTokenId, vocabSize } = golden;
      const shown = shownOf(
        example,
        goldenNoise(noise),
        { seed: BigInt(seed), epoch, maskTokenId, vocabSize },
        String,
      );
      expect(shown.map(({ text }) => text)).toEqual(ids.map(String));
      expect(shown.flatMap(({ state }, i) => (state === "masked" ? [i] : []))).toEqual(masked);
    }
  });

  it("draws the noises of the figure as they are by default", () => {
    expect([noiseNamed("lad", LEVELS), noiseNamed("cover", LEVELS)]).toEqual([lad(), cover()]);
    expect([noiseNamed("mask-only", LEVELS), noiseNamed("uniform", LEVELS)]).toEqual([maskOnly(), uniform()]);
    expect(noiseNamed("fixed", LEVELS)).toEqual(fixed(LEVELS));
  });

  it("counts over many epochs what single ones show", () => {
    const noise = noiseNamed("mask-only", LEVELS);
    const often = frequencies(SENTENCE, noise, 1n, 50);
    const masked = Array.from({ length: 50 }, (_, epoch) => corrupted(SENTENCE, noise, { seed: 1n, epoch }));
    const counts = often.map((_, p) => masked.filter((tokens) => tokens[p]?.state === "masked").length);
    expect(often.map(({ masked: share }) => share * 50)).toEqual(counts);
    expect(often.every(({ wrong }) => wrong === 0)).toBe(true);
  });

  it("masks exactly the share that `fixed` is given, and tells the tail from the answer", () => {
    const shown = corrupted(SENTENCE, noiseNamed("fixed", LEVELS), { seed: 3n, epoch: 0 });
    expect(shown.filter(({ state }) => state === "masked")).toHaveLength(Math.floor(shown.length / 2));
    expect(shown.map(({ tail }) => tail).lastIndexOf(false)).toBe(7); // its end
  });

  it("tells the words MASK and end from the tokens of that name", () => {
    const shown = corrupted("MASK end", noiseNamed("fixed", { ...LEVELS, masked: 0 }), {
      seed: 1n,
      epoch: 0,
    });
    expect(shown.slice(0, 2).map(({ state }) => state)).toEqual(["clean", "clean"]);
    expect(
      exampleOf("MASK end")
        .example.ids.slice(0, 2)
        .every((id) => id > 1),
    ).toBe(true);
  });

  it("draws nothing of an empty sentence but its end", () => {
    expect(corrupted("", noiseNamed("lad", LEVELS), { seed: 1n, epoch: 0 })).toHaveLength(5);
  });
});
