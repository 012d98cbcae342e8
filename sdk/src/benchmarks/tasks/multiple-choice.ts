import { check } from "../../checks/check.js";
import { filledText } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import { LadError } from "../../errors.js";
import type { Row } from "../../options/data/rows.js";
import { Benchmark, type BenchmarkOptions, benchmarkShape, type RowQuestion } from "../benchmark.js";
import { askedWithChoices, lettered, letterOf } from "../choices.js";
import { filled, textIn, textsIn } from "./template.js";

/** Options of `multipleChoice`: which columns of your own rows are what. */
export interface MultipleChoiceOptions extends BenchmarkOptions {
  /** The question, as a template of columns. Default: `{question}`. */
  question?: string | undefined;
  /** What a likelihood is computed behind, as a template of columns. Default: `Question: {question}\nAnswer:`. */
  prompt?: string | undefined;
  /** The column of the choices, a list of texts. Default: `choices`. */
  choices?: string | undefined;
  /** The column of the right choice: its number from 0, its letter, or its text. Default: `answer`. */
  answer?: string | undefined;
}

export const multipleChoiceOptions = fieldsOf<MultipleChoiceOptions>()({
  ...benchmarkShape,
  question: filledText().default("{question}"),
  prompt: filledText().default("Question: {question}\nAnswer:"),
  choices: filledText().default("choices"),
  answer: filledText().default("answer"),
});

/** A benchmark of your own: questions with choices, in columns of any names. */
export function multipleChoice(options: MultipleChoiceOptions): Benchmark {
  const { question, prompt, choices, answer } = check(multipleChoiceOptions, options);
  const template = { question, prompt, choices, answer };
  const { question: _, prompt: __, choices: ___, answer: ____, ...rest } = options;
  return new Benchmark(
    {
      kind: "multiple-choice",
      by: ["likelihood", "letter"],
      read: (row, path) => readChoice(template, row, path),
    },
    rest,
    template,
  );
}

type Template = Readonly<Record<"question" | "prompt" | "choices" | "answer", string>>;

function readChoice(template: Template, row: Row, path: string): RowQuestion {
  const choices = textsIn(row, template.choices, path);
  const right = rightOf(textIn(row, template.answer, path), choices);
  if (right === undefined) {
    throw new LadError("invalid-data", `${path}.${template.answer} is none of the choices.`, {
      option: `${path}.${template.answer}`,
      value: row[template.answer],
      remedy: "Give the right choice's number from 0, its letter, or its text.",
    });
  }
  return {
    prompt: filled(template.prompt, row, path),
    asked: askedWithChoices(filled(template.question, row, path), choices),
    choices,
    written: lettered(choices),
    right,
    answer: choices[right] ?? "",
  };
}

/** By its text, else by its letter, else by its number. */
function rightOf(answer: string, choices: readonly string[]): number | undefined {
  const byText = choices.indexOf(answer);
  const byLetter = choices.findIndex((_, index) => letterOf(index) === answer);
  const number = /^\d+$/.test(answer) ? Number(answer) : -1;
  return [byText, byLetter, number].find((index) => index >= 0 && index < choices.length);
}
