import { describe, expect, it } from "vitest";
import { agreement, sameAnswers, sameTraining } from "../../bench/harness/same.js";
import type { Measurement } from "../../bench/harness/side.js";

function round(ours: Partial<Measurement>, reference?: Partial<Measurement>) {
  return {
    ours: { seconds: 1, ...ours },
    ...(reference === undefined ? {} : { reference: { seconds: 1, ...reference } }),
  };
}

describe("training", () => {
  it("is the same with losses equal to 1e-4 and gradient norms to 1e-2", () => {
    const ours = { losses: [2], gradientNorm: 0.5 };
    expect(() => sameTraining()(round(ours, { losses: [2.0001], gradientNorm: 0.5004 }))).not.toThrow();
    expect(() => sameTraining()(round(ours, { losses: [2.001], gradientNorm: 0.5 }))).toThrow(
      /The loss is 2/,
    );
    expect(() => sameTraining()(round(ours, { losses: [2], gradientNorm: 0.51 }))).toThrow(/gradient norm/);
  });

  it("allows half precision its rounding, and no more", () => {
    const ours = { losses: [2], gradientNorm: 0.5 };
    const half = sameTraining("bfloat16");
    expect(() => half(round(ours, { losses: [2.01], gradientNorm: 0.52 }))).not.toThrow();
    expect(() => half(round(ours, { losses: [2.1], gradientNorm: 0.5 }))).toThrow(/loss/);
    expect(() => half(round(ours, { losses: [2], gradientNorm: 0.6 }))).toThrow(/gradient norm/);
  });

  it("is never the same where a loss is no number, or is missing", () => {
    expect(() => sameTraining()(round({ losses: [Number.NaN] }, { losses: [Number.NaN] }))).toThrow();
    expect(() => sameTraining()(round({ losses: [1] }, {}))).toThrow(/1 losses and the reference 0/);
  });
});

describe("answers", () => {
  it("are the same token for token", () => {
    expect(() => sameAnswers(round({ answers: [[1, 2]] }, { answers: [[1, 2]] }))).not.toThrow();
    const other = round(
      { answers: [[1], [1, 2, 3]] },
      {
        answers: [[1], [1, 5, 3]],
      },
    );
    expect(() => sameAnswers(other)).toThrow(/Answer 1 differs from position 1 on: ours has \[2, 3/);
    expect(() => sameAnswers(round({ answers: [[1, 2]] }, { answers: [[1]] }))).toThrow(/position 1/);
    expect(() => sameAnswers(round({ answers: [] }, { answers: [] }))).toThrow(/0 answers/);
  });
});

describe("answers to another program's", () => {
  const answered = (answers: number[][], others: number[][]) => round({ answers }, { answers: others });

  it("are counted, a quarter of them being free to differ", () => {
    const rounds = [answered([[1], [2]], [[1], [2]]), answered([[3], [4]], [[3], [9]])];
    expect(agreement(rounds)).toEqual({ same: 3, compared: 4 });
  });

  it("are not the same where more than a quarter differs, or none can be compared", () => {
    const rounds = [answered([[1], [2]], [[1], [2]]), answered([[3], [4]], [[8], [9]])];
    expect(() => agreement(rounds)).toThrow(/2 of 4 answers/);
    expect(() => agreement([answered([], [])])).toThrow(/0 of 0 answers/);
    expect(() => agreement([answered([[1]], [])])).toThrow(/1 answers and the reference 0/);
  });
});

it("compares nothing where ours runs alone", () => {
  expect(() => sameTraining()(round({ losses: [1] }))).not.toThrow();
  expect(() => sameAnswers(round({ answers: [[1]] }))).not.toThrow();
  expect(agreement([round({ answers: [[1]] })])).toBeUndefined();
});
