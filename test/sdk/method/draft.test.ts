import fc from "fast-check";
import { expect, test } from "vitest";
import { applyNoise } from "../../../sdk/src/method/noise.js";
import { drafted, draftSeed } from "../../../sdk/src/method/noises/draft.js";
import { lad, ownDraft } from "../../../sdk/src/method/noises/registered.js";
import type { PreparedExample } from "../../../sdk/src/method/prepared-example.js";
import { randomSplit } from "../../../sdk/src/method/random-split.js";
import golden from "../../contract/draft.json" with { type: "json" };

const EXAMPLES = golden.examples.map(
  ({ id, ids, answer, tail }): PreparedExample => ({
    id: BigInt(id),
    ids,
    answer: Uint8Array.from(answer),
    tail: Uint8Array.from(tail),
  }),
);
const LONG = EXAMPLES[4] as PreparedExample;
const BASE = { maskTokenId: golden.maskId, vocabSize: golden.vocabSize };

const pastOf = ({ pastTokens, answer }: PreparedExample) => pastTokens ?? answer.indexOf(1);
const indices = (flags: Uint8Array) => [...flags.keys()].filter((i) => flags[i] === 1);

test("the model drafts the examples that it drafts on the worker, by the same seeds, to the same answers", () => {
  for (const wanted of golden.cases) {
    const example = EXAMPLES[wanted.example] as PreparedExample;
    const noise = ownDraft({ share: wanted.share, noise: lad({ tailNoise: wanted.tailNoise }) });
    const key = { seed: BigInt(wanted.seed), epoch: wanted.epoch };
    const noised = applyNoise(example, noise, { ...key, ...BASE });
    const seed = draftSeed(example, noise, key);
    expect(seed?.toString() ?? null).toBe(wanted.draftSeed);
    const canvas = example.ids.slice(pastOf(example)).map((_, i) => 300 + i);
    const shown = seed === undefined ? noised : drafted(example, noised, noise, canvas);
    expect(shown.ids).toEqual(wanted.ids);
    expect(indices(shown.masked)).toEqual(wanted.masked);
    expect(indices(shown.corrupted)).toEqual(wanted.corrupted);
  }
});

test("a draft of a cut answer stands behind its past, and leaves what is decided", () => {
  const noise = ownDraft({ share: 1, noise: lad({ fullMaskProbability: 1 }) });
  fc.assert(
    fc.property(fc.nat(1000), (epoch) => {
      const cut = randomSplit(LONG, { seed: 1n, epoch });
      const noised = applyNoise(cut, noise, { seed: 1n, epoch, ...BASE });
      const start = cut.answer.indexOf(1);
      const canvas = cut.ids.slice(pastOf(cut)).map((_, i) => 300 + i);
      const shown = drafted(cut, noised, noise, canvas);
      expect(shown.ids.slice(0, start)).toEqual(LONG.ids.slice(0, start));
      expect(shown.ids.slice(start)).toEqual(canvas.slice(start - pastOf(cut)));
      expect(shown.masked.includes(1)).toBe(false);
    }),
  );
});

test("what it was noised to stays as it is", () => {
  const noise = ownDraft({ share: 1, noise: lad({ fullMaskProbability: 1 }) });
  const noised = applyNoise(LONG, noise, { seed: 1n, epoch: 0, ...BASE });
  const before = structuredClone(noised);
  drafted(LONG, noised, noise, LONG.ids.slice(pastOf(LONG)));
  expect(noised).toEqual(before);
});

test("other noises ask for no draft", () => {
  expect(draftSeed(LONG, lad(), { seed: 1n, epoch: 0 })).toBeUndefined();
});
