import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareEvaluations } from "../../../sdk/src/evaluation/comparing.js";
import { distinctN } from "../../../sdk/src/evaluation/measures/distinct.js";
import { exactMatch } from "../../../sdk/src/evaluation/measures/exact-match.js";
import type { Answered } from "../../../sdk/src/evaluation/measures/measure.js";
import { measured, measures } from "../../../sdk/src/evaluation/measures/measures.js";
import { median, perplexity, scoredTokens } from "../../../sdk/src/evaluation/measures/perplexity.js";
import { repeatedNgramShare } from "../../../sdk/src/evaluation/measures/repeated.js";
import { questionKeys, questionSeeds } from "../../../sdk/src/evaluation/questions.js";
import { newcombe, wilson } from "../../../sdk/src/evaluation/statistics/wilson.js";

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

test("exact matches ignore white space at the ends alone", () => {
  const share = exactMatch(["4", " 12\n", "a  b", "A"], ["4", "12", "a b", "a"]);
  expect(share).toEqual(wilson([true, true, false, false]));
  expect(() => exactMatch(["1"], [])).toThrow(RangeError);
});

describe("perplexity", () => {
  test("is exp of the token-weighted mean, and the median that of the answers' own", () => {
    const scores = [
      { tokenLogLikelihoods: [-1, -3] },
      { tokenLogLikelihoods: Float32Array.of(-4) },
      undefined,
      { tokenLogLikelihoods: [-0.5, -0.5, -0.5] },
    ];
    expect(perplexity(scores)).toBeCloseTo(Math.exp(9.5 / 6), 12);
    const all = scores.map((each) => answered("a", undefined, [...(each?.tokenLogLikelihoods ?? [])]));
    const { perplexity: mean, medianPerplexity } = measured(all);
    expect(mean.value).toBeCloseTo(Math.exp(9.5 / 6), 12);
    expect(medianPerplexity.value).toBeCloseTo(Math.exp(2), 12);
    expect([mean.n, medianPerplexity.n]).toEqual([3, 3]);
  });

  test("of nothing is no number", () => {
    expect(perplexity([undefined, { tokenLogLikelihoods: [] }])).toBeNaN();
    const { perplexity: none, medianPerplexity } = measured([answered("", undefined, [])]);
    expect(none).toMatchObject({ value: Number.NaN, n: 0 });
    expect(medianPerplexity).toMatchObject({ value: Number.NaN, n: 0 });
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

let questions = 0;

/** An answer to a question of its own, or of the given key. */
function answered(text: string, reference?: string, nats: number[] = [-1], ids = [1, 2, 1, 2]): Answered {
  return {
    key: `question ${String(questions++).padStart(4, "0")}`,
    answer: {
      type: "answer",
      canvas: 0,
      ids,
      canvasIds: [...ids, EOS],
      text,
      iterations: 2,
      stopped: "settled",
      pinned: [],
    },
    reference,
    scores: nats.length === 0 ? undefined : { tokenLogLikelihoods: nats },
  };
}

describe("the measures of a set of answers", () => {
  test("are each that of the function of its name, of the answers that it needs", () => {
    const all = [answered("a", "a"), answered("é"), answered(" c", "d", [], [])];
    const values = measured(all);
    expect(Object.keys(values)).toEqual(Object.keys(measures));
    expect(values.exactMatch).toEqual(wilson([true, false]));
    expect(values.perplexity).toMatchObject({ value: Math.E, n: 2, by: "bootstrap" });
    expect(values.bitsPerByte).toMatchObject({ value: 2 / Math.LN2 / 3, n: 2 });
    expect(values.emptyAnswers).toEqual(wilson([false, false, true]));
    expect(values.distinct1).toMatchObject({ value: 2 / 8, n: 3, by: "jackknife" });
    expect(values.distinct2).toMatchObject({ value: distinctN(Array(2).fill([1, 2, 1, 2]), 2) });
    expect(values.distinct3).toMatchObject({ value: 2 / 4 });
    expect(values.repeated3).toMatchObject({ value: repeatedNgramShare(Array(2).fill([1, 2, 1, 2]), 3) });
    expect(values.forwards).toMatchObject({ value: 2, n: 3, interval: [2, 2] });
    expect(values.tokensPerForward).toMatchObject({ value: (5 + 5 + 1) / 6, n: 3 });
  });

  test("have a share of nothing where no answer has a reference", () => {
    expect(measured([answered("a"), answered("b")]).exactMatch).toEqual(wilson([]));
  });

  test("are the same bytes in any order of the answers, with intervals around them", () => {
    const all = [0.1, 0.7, 1.9, 3.3, 0.2].map((nats, i) =>
      answered(String(i % 2), "1", [-nats, -1 / 3], [i, i + 1, 1, 2].slice(0, 2 + (i % 3))),
    );
    const values = measured(all);
    expect(measured([...all.slice(2), ...all.slice(0, 2)])).toEqual(values);
    for (const { value, interval } of Object.values(values)) {
      expect(interval[0]).toBeLessThanOrEqual(value);
      expect(interval[1]).toBeGreaterThanOrEqual(value);
    }
    expect(measured(all, { seed: 9 }).perplexity.interval).not.toEqual(values.perplexity.interval);
  });
});

describe("two evaluations of the same questions", () => {
  const perplexityModel = "stub";
  const hard = [-3, -0.1, -2, -1, -4, -0.5];
  const first = hard.map((nats, i) => answered(String(i % 3), "1", [nats - 0.1, nats - 0.1]));
  const second = first.map(({ key }, i) => ({
    ...answered("1", "1", [hard[i] as number, hard[i] as number], [7, 8, 7]),
    key,
  }));

  test("are compared question by question, whatever their order", () => {
    const compared = compareEvaluations(
      { items: first, perplexityModel },
      { items: second.toReversed(), perplexityModel },
    );
    expect(compared.exactMatch).toEqual(
      newcombe(
        first.map((_, i) => i % 3 === 1),
        first.map(() => true),
      ),
    );
    expect(compared.exactMatch.value).toBeCloseTo(-2 / 3, 12);
    expect(compared.distinct1).toMatchObject({ n: 6, by: "paired jackknife" });
    expect(compared.forwards).toMatchObject({ value: 0, interval: [0, 0], by: "paired bootstrap" });
  });

  test("differ in perplexity by what the models differ, not by how hard the questions are", () => {
    const { perplexity: between } = compareEvaluations(
      { items: first, perplexityModel },
      { items: second, perplexityModel },
    );
    const alone = measured(first).perplexity.interval;
    expect(between.interval[0]).toBeGreaterThan(0);
    expect(between.interval[1] - between.interval[0]).toBeLessThan((alone[1] - alone[0]) / 4);
  });

  test("count the questions that both have, and need one, and one judge", () => {
    const { perplexity: between } = compareEvaluations(
      { items: first.slice(0, 4), perplexityModel },
      { items: second.slice(2), perplexityModel },
    );
    expect(between.n).toBe(2);
    expect(() =>
      compareEvaluations({ items: first, perplexityModel }, { items: [answered("a")], perplexityModel }),
    ).toThrow(/no question in common/);
    expect(() =>
      compareEvaluations({ items: first, perplexityModel }, { items: second, perplexityModel: "another" }),
    ).toThrow(/judged by stub and another/);
  });
});

describe("a question's key and seed", () => {
  const asked = [{ messages: [{ role: "user" as const, content: "a" }] }, { ids: [1, 2] }, { ids: [1, 2] }];

  test("tell it from others, and equal questions by how many came before", () => {
    const keys = questionKeys(asked, ["x", "y", "y"]);
    expect(new Set(keys).size).toBe(3);
    expect(questionKeys(asked.toReversed(), ["y", "y", "x"]).toSorted()).toEqual(keys.toSorted());
    expect(questionKeys(asked.slice(1, 2), ["z"])).not.toContain(keys[1]);
    const seeds = questionSeeds(5n, [[3], [1, 2], [1, 2]], []);
    expect(new Set(seeds).size).toBe(3);
    expect(questionSeeds(5n, [[1, 2], [1, 2], [3]], [])).toEqual([seeds[1], seeds[2], seeds[0]]);
    expect(questionSeeds(6n, [[3]], [])).not.toContain(seeds[0]);
  });
});
