import { check } from "../../checks/check.js";
import { filledText } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import type { Row } from "../../options/data/rows.js";
import { Benchmark, type BenchmarkOptions, benchmarkShape, type RowQuestion } from "../benchmark.js";
import { filled, textIn } from "./template.js";

/** Options of `shortAnswer`: which columns of your own rows are what. */
export interface ShortAnswerOptions extends BenchmarkOptions {
  /** The question, as a template of columns. Default: `{question}`. */
  question?: string | undefined;
  /** The column of the right answer. Default: `answer`. */
  answer?: string | undefined;
}

export const shortAnswerOptions = fieldsOf<ShortAnswerOptions>()({
  ...benchmarkShape,
  question: filledText().default("{question}"),
  answer: filledText().default("answer"),
});

/** A benchmark of your own: questions with one right answer, a text or a number. */
export function shortAnswer(options: ShortAnswerOptions): Benchmark {
  const { question, answer } = check(shortAnswerOptions, options);
  const template = { question, answer };
  const { question: _, answer: __, ...rest } = options;
  const read = (row: Row, path: string): RowQuestion => {
    const asked = filled(question, row, path);
    return {
      prompt: `Question: ${asked}\nAnswer:`,
      asked,
      choices: [],
      written: [],
      right: -1,
      answer: textIn(row, answer, path),
    };
  };
  return new Benchmark({ kind: "short-answer", by: ["text", "number"], read }, rest, template);
}
