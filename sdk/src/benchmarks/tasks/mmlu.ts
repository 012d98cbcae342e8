/** Massive Multitask Language Understanding (Hendrycks et al. 2021, arXiv 2009.03300). */
import { z } from "zod";
import { check } from "../../checks/check.js";
import { integer, list, text } from "../../checks/fields.js";
import { invalidOption } from "../../errors.js";
import type { Row } from "../../options/data/rows.js";
import { Benchmark, type BenchmarkOptions, type RowQuestion } from "../benchmark.js";
import { askedWithChoices, lettered, letterOf } from "../choices.js";

/**
 * MMLU: questions of 57 subjects with four choices, of which the letter is chosen, also by likelihood. Shots are from the question's own
 * subject. Rows are those of the hub's `cais/mmlu`.
 */
export function mmlu(options: BenchmarkOptions): Benchmark {
  return new Benchmark({ kind: "mmlu", by: ["likelihood", "letter"], read: readMmlu }, options);
}

const mmluRow = z.looseObject(
  {
    question: text(),
    subject: text(),
    choices: list(text(), "the choices' texts"),
    answer: integer(0, 25),
  },
  { error: "a row with question, subject, choices and answer" },
);

function readMmlu(row: Row, path: string): RowQuestion {
  const { question, subject, choices, answer } = check(mmluRow, row, path);
  if (answer >= choices.length) {
    const problem = `there are ${choices.length} choices`;
    throw invalidOption(`${path}.answer`, answer, problem, "Give the right choice's number, from 0.");
  }
  const put = question.trim();
  const letters = choices.map((_, index) => letterOf(index));
  const lines = choices.map((choice, index) => `${letterOf(index)}. ${choice}`);
  return {
    topic: subject,
    preamble: `The following are multiple choice questions (with answers) about ${subject.replaceAll("_", " ")}.\n\n`,
    prompt: `${[put, ...lines].join("\n")}\nAnswer:`,
    asked: askedWithChoices(put, choices),
    choices: letters,
    written: lettered(choices),
    right: answer,
    answer: letters[answer] ?? "",
  };
}
