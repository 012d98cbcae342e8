import { expect, test } from "vitest";
import { targeted } from "../../../sdk/src/method/loss-targets.js";
import { applyNoise } from "../../../sdk/src/method/noise.js";
import { maskOnly } from "../../../sdk/src/method/noises/registered.js";
import type { PreparedExample } from "../../../sdk/src/method/prepared-example.js";
import type { Purpose } from "../../../sdk/src/method/random.js";
import { randomSplit } from "../../../sdk/src/method/random-split.js";
import golden from "../../contract/split.json" with { type: "json" };

const EXAMPLES = golden.examples.map(
  ({ id, ids, answer, tail }): PreparedExample => ({
    id: BigInt(id),
    ids,
    answer: Uint8Array.from(answer),
    tail: Uint8Array.from(tail),
  }),
);

test("a random split cuts where the worker cuts", () => {
  for (const { example, seed, epoch, purpose, canvasTokens, answer, pastTokens } of golden.cases) {
    const whole = EXAMPLES[example] as PreparedExample;
    const seen = randomSplit(whole, {
      canvasTokens,
      seed: BigInt(seed),
      epoch,
      purpose: purpose as typeof Purpose.noise,
    });
    expect([...seen.answer]).toEqual(answer);
    expect([...seen.ids]).toEqual([...whole.ids].slice(0, answer.length));
    expect(seen.tail).toHaveLength(answer.length);
    expect(seen.pastTokens ?? seen.answer.indexOf(1)).toBe(pastTokens);
  }
});

test("the past and the canvas's first token are shown as they are, and teach nothing", () => {
  const noise = maskOnly({ minTime: 1 });
  const loss = { supervise: "all-answer-tokens", tail: true, tailWeight: 1, weighting: "uniform" } as const;
  for (let epoch = 0; epoch < 40; epoch++) {
    const clean = EXAMPLES[4] as PreparedExample;
    const seen = randomSplit(clean, { seed: 1n, epoch });
    const shown = applyNoise(seen, noise, { seed: 1n, epoch, maskTokenId: 5, vocabSize: 400 });
    const [sequence] = targeted([seen], [shown], loss);
    const visible = seen.answer.indexOf(1);
    expect(shown.ids.slice(0, visible)).toEqual(clean.ids.slice(0, visible));
    expect(shown.ids.slice(visible).every((id) => id === 5)).toBe(true);
    expect([...(sequence?.targets ?? [])].findIndex((target) => target >= 0)).toBe(visible);
    const prompt = clean.answer.indexOf(1);
    expect(sequence?.promptTokens).toBe(visible === prompt ? prompt : visible - 1);
  }
});

test("a cut leaves the example itself as it is, in whatever kind of array its flags came", () => {
  const example = EXAMPLES[4] as PreparedExample;
  const received = { ...example, answer: Buffer.from(example.answer) };
  for (let epoch = 0; epoch < 10; epoch++) randomSplit(received, { seed: 1n, epoch });
  expect([...received.answer]).toEqual([...example.answer]);
});
