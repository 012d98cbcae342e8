import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distinctN } from "../../../sdk/src/evaluation/measures/distinct.js";
import { accuracy, exactMatch } from "../../../sdk/src/evaluation/measures/exact-match.js";
import type { Answered } from "../../../sdk/src/evaluation/measures/measure.js";
import { measured, measures } from "../../../sdk/src/evaluation/measures/measures.js";
import { median, perplexity, scoredTokens } from "../../../sdk/src/evaluation/measures/perplexity.js";
import { repeatedNgramShare } from "../../../sdk/src/evaluation/measures/repeated.js";

const EOS = 2;

describe("distinctN", () => {
  test("is unique n-grams over n-grams of the whole set", () => {
    expect(distinctN([[1, 2, 1, 2]], 1)).toBe(2 / 4);
    expect(distinctN([[1, 2, 1, 2]], 2)).toBe(2 / 3);
    expect(distinctN([[1, 2], [1, 2], [3]], 2)).toBe(1 / 2);
    expect(distinctN([Int32Array.of(1, 23), [12, 3]], 2)).toBe(1);
  });

  test("is no number where there are no n-grams", () => {
    expect(distinctN([], 2)).toBeNaN();
    expect(distinctN([[1]], 2)).toBeNaN();
    expect(() => distinctN([[1]], 0)).toThrow(RangeError);
  });

  test("lies above 0 and at 1 exactly when nothing repeats", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(3), { minLength: 2 }), { minLength: 1 }), (answers) => {
        const grams = answers.flatMap((answer) => answer.slice(1).map((token, i) => `${answer[i]},${token}`));
        expect(distinctN(answers, 2)).toBe(new Set(grams).size / grams.length);
      }),
    );
  });
});

test("the repeated share counts what stood in the same answer before", () => {
  expect(repeatedNgramShare([[1, 2, 3, 1, 2, 3]])).toBe(1 / 4);
  expect(
    repeatedNgramShare([
      [1, 2, 3],
      [1, 2, 3],
    ]),
  ).toBe(0);
  expect(repeatedNgramShare([[7, 7, 7, 7, 7]])).toBe(2 / 3);
  expect(repeatedNgramShare([[1, 2]])).toBeNaN();
});

describe("accuracy", () => {
  test("of exact matches ignores white space at the ends alone", () => {
    const { n, correct, accuracy: share } = exactMatch(["4", " 12\n", "a  b", "A"], ["4", "12", "a b", "a"]);
    expect({ n, correct, share }).toEqual({ n: 4, correct: 2, share: 0.5 });
    expect(() => exactMatch(["1"], [])).toThrow(RangeError);
  });

  test("has Wilson's interval", () => {
    // 8 of 10 by the formula, worked out apart.
    const [low, high] = accuracy([...Array(8).fill(true), false, false]).interval;
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
    expect(accuracy([]).accuracy).toBeNaN();
    expect(accuracy([]).interval).toEqual([0, 1]);
  });

  test("lies within its interval, which lies within 0 and 1", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1 }), (hits) => {
        const { accuracy: share, interval } = accuracy(hits);
        expect(interval[0]).toBeGreaterThanOrEqual(0);
        expect(interval[0]).toBeLessThanOrEqual(share + 1e-12);
        expect(interval[1]).toBeGreaterThanOrEqual(share - 1e-12);
        expect(interval[1]).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("perplexity", () => {
  test("is exp of the token-weighted mean, and the median that of the answers' own", () => {
    const scores = [
      { tokenLogLikelihoods: [-1, -3] },
      { tokenLogLikelihoods: Float32Array.of(-4) },
      undefined,
      { tokenLogLikelihoods: [-0.5, -0.5, -0.5] },
    ];
    const measured = perplexity(scores);
    expect(measured.perplexity).toBeCloseTo(Math.exp(9.5 / 6), 12);
    expect(measured.median).toBeCloseTo(Math.exp(2), 12);
    expect(measured).toMatchObject({ answers: 3, tokens: 6, empty: 1 });
  });

  test("of nothing is no number", () => {
    const measured = perplexity([undefined, { tokenLogLikelihoods: [] }]);
    expect(measured.perplexity).toBeNaN();
    expect(measured.median).toBeNaN();
    expect(measured).toMatchObject({ answers: 0, tokens: 0, empty: 2 });
  });

  test("is of the tokens up to the first EOS, and of no empty answer", () => {
    expect(scoredTokens([7, 8, EOS, 9, EOS], [EOS])).toEqual([7, 8, EOS]);
    expect(scoredTokens([7, 8, EOS, 9, 3], [3, EOS])).toEqual([7, 8, EOS]);
    expect(scoredTokens([7, 8, 3, 9, EOS], [EOS, 3])).toEqual([7, 8, 3]);
    expect(scoredTokens([7, 8], [EOS])).toEqual([7, 8]);
    expect(scoredTokens([EOS, EOS], [EOS])).toBeUndefined();
    expect(scoredTokens([], [EOS])).toBeUndefined();
  });
});

test("the median is the middle value or the mean of the middle two", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

describe("the measures of a set of answers", () => {
  const answered = (text: string, reference?: string, nats: number[] = [-1]): Answered => ({
    answer: {
      type: "answer",
      canvas: 0,
      ids: [1, 2, 1, 2],
      canvasIds: [1, 2, 1, 2, EOS],
      text,
      iterations: 1,
      stopped: "settled",
      pinned: [],
    },
    reference,
    scores: nats.length === 0 ? undefined : { tokenLogLikelihoods: nats },
  });

  test("are each that of the function of its name, of the answers that it needs", () => {
    const all = [answered("a", "a"), answered("b"), answered(" c", "d", [])];
    expect(measured(all)).toEqual({
      exactMatch: exactMatch(["a", " c"], ["a", "d"]),
      perplexity: perplexity([{ tokenLogLikelihoods: [-1] }, { tokenLogLikelihoods: [-1] }, undefined]),
      distinct2: distinctN(Array(3).fill([1, 2, 1, 2]), 2),
      repeated3: repeatedNgramShare(Array(3).fill([1, 2, 1, 2]), 3),
    });
  });

  test("know no exact match where nothing has a reference", () => {
    const { exactMatch: none } = measured([answered("a"), answered("b")]);
    expect(none).toBeUndefined();
    expect(measures.exactMatch.figure(none)).toBeNaN();
    expect(measures.exactMatch.interval?.(none)).toEqual([0, 1]);
  });

  test("have one number each, within the interval of those that know one", () => {
    const values = measured([answered("a", "a"), answered("b", "c")]);
    expect(measures.exactMatch.figure(values.exactMatch)).toBe(0.5);
    expect(measures.exactMatch.interval?.(values.exactMatch)).toEqual(values.exactMatch?.interval);
    expect(measures.perplexity.figure(values.perplexity)).toBeCloseTo(Math.E, 12);
    expect(measures.distinct2.figure(values.distinct2)).toBe(values.distinct2);
  });
});
