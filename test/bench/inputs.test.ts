import { expect, it } from "vitest";
import { corrupted, promptsOfTurns, tokenIds, windowsOfTurns } from "../../bench/harness/inputs.js";

const VOCABULARY = { vocabSize: 12, maskTokenId: 3, eosTokenId: 11 };
const SHAPE = { prompt: 4, answer: 20, tail: 3 };

it("draws the same ordinary tokens every time, every one of them, and never mask or EOS", () => {
  const ids = tokenIds(500, 0, VOCABULARY);
  expect(ids).toEqual(tokenIds(500, 0, VOCABULARY));
  expect([...new Set(ids)].sort((a, b) => a - b)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9, 10]);
});

it("gives no two turns the same prompt", () => {
  const turns = promptsOfTurns(3, [16, 20], VOCABULARY);
  expect(turns.map((prompts) => prompts.map((prompt) => prompt.length))).toEqual(Array(3).fill([16, 20]));
  expect(new Set(turns.flat().map((prompt) => prompt.slice(0, 16).join())).size).toBe(6);
});

it("makes windows of prompt, answer and tail, and corrupts nothing of the prompt", () => {
  const [first = [], second = []] = windowsOfTurns(2, 8, SHAPE, VOCABULARY);
  expect([...first, ...second].map(({ id }) => Number(id))).toEqual([...Array(16).keys()]);
  for (const example of first) {
    expect(example.ids.slice(-3)).toEqual([11, 11, 11]);
    expect([...example.answer].filter(Boolean).length).toBe(23);
    expect([...example.tail].filter(Boolean).length).toBe(3);
    expect(corrupted(example, VOCABULARY).slice(0, 4)).toEqual(example.ids.slice(0, 4));
  }
  const changed = first.filter((example) => corrupted(example, VOCABULARY).join() !== example.ids.join());
  expect(changed.length).toBeGreaterThan(3);
});
