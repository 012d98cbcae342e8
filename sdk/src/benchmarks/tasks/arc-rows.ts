/** Rows of AI2's Reasoning Challenge (Clark et al. 2018, arXiv 1803.05457), as the hub's `allenai/ai2_arc` has them. */
import { z } from "zod";
import { check } from "../../checks/check.js";
import { list, text } from "../../checks/fields.js";
import { invalidOption } from "../../errors.js";
import type { Row } from "../../options/data/rows.js";
import type { RowQuestion } from "../benchmark.js";
import { askedWithChoices, lettered } from "../choices.js";

const arcRow = z.looseObject(
  {
    id: text().optional(),
    question: text(),
    choices: z.looseObject({ text: list(text(), "the choices' texts"), label: list(text(), "their labels") }),
    answerKey: text(),
  },
  { error: "a row with question, choices and answerKey" },
);

/** Labels are letters or, in some rows, figures; a chat sees letters. */
export function readArc(row: Row, path: string): RowQuestion {
  const { id, question, choices, answerKey } = check(arcRow, row, path);
  const right = choices.label.indexOf(answerKey);
  if (right < 0) {
    const remedy = `Give one of ${choices.label.join(", ")}.`;
    throw invalidOption(`${path}.answerKey`, answerKey, "no choice has that label", remedy);
  }
  return {
    id,
    prompt: `Question: ${question}\nAnswer:`,
    asked: askedWithChoices(question, choices.text),
    choices: choices.text,
    written: lettered(choices.text),
    right,
    answer: choices.text[right] ?? "",
  };
}
