/** GSM8K (Cobbe et al. 2021, arXiv 2110.14168). */
import { z } from "zod";
import { check } from "../../checks/check.js";
import { text } from "../../checks/fields.js";
import { invalidOption } from "../../errors.js";
import type { Row } from "../../options/data/rows.js";
import { Benchmark, type BenchmarkOptions, type RowQuestion } from "../benchmark.js";
import { lastNumber } from "../scoring/number.js";

/** GSM8K: arithmetic word problems, of which the last number counts. Rows are those of the hub's `openai/gsm8k`, `main`. */
export function gsm8k(options: BenchmarkOptions): Benchmark {
  return new Benchmark({ kind: "gsm8k", by: ["number"], read: readGsm8k }, options);
}

const gsm8kRow = z.looseObject(
  { question: text(), answer: text() },
  { error: "a row with question and answer" },
);

function readGsm8k(row: Row, path: string): RowQuestion {
  const { question, answer } = check(gsm8kRow, row, path);
  if (lastNumber(answer) === undefined) {
    throw invalidOption(
      `${path}.answer`,
      answer,
      "there is no number in it",
      "Give an answer with a number.",
    );
  }
  return {
    prompt: `Question: ${question}\nAnswer:`,
    asked: question,
    choices: [],
    written: [],
    right: -1,
    answer,
  };
}
