/** HellaSwag (Zellers et al. 2019, arXiv 1905.07830). */
import { z } from "zod";
import { check } from "../../checks/check.js";
import { list, text } from "../../checks/fields.js";
import { invalidOption } from "../../errors.js";
import type { Row } from "../../options/data/rows.js";
import { Benchmark, type BenchmarkOptions, type RowQuestion } from "../benchmark.js";
import { askedWithChoices, lettered } from "../choices.js";

/** HellaSwag: how a description goes on, of four endings. Rows are those of the hub's `Rowan/hellaswag`. */
export function hellaswag(options: BenchmarkOptions): Benchmark {
  return new Benchmark({ kind: "hellaswag", by: ["likelihood", "letter"], read: readHellaswag }, options);
}

const hellaswagRow = z.looseObject(
  {
    activity_label: text(),
    ctx: text().optional(),
    ctx_a: text().optional(),
    ctx_b: text().optional(),
    endings: list(text(), "the endings"),
    label: z.union([text(), z.number()], { error: "the right ending's number" }),
  },
  { error: "a row with activity_label, ctx, endings and label" },
);

function readHellaswag(row: Row, path: string): RowQuestion {
  const { activity_label, endings: given, label, ...context } = check(hellaswagRow, row, path);
  const right = label === "" ? Number.NaN : Number(label);
  if (!Number.isInteger(right) || right < 0 || right >= given.length) {
    const problem = `there are ${given.length} endings`;
    throw invalidOption(`${path}.label`, label, problem, "Give the right ending's number, from 0.");
  }
  const prompt = withoutMarks(`${activity_label}: ${contextOf(context)}`);
  const endings = given.map(withoutMarks);
  return {
    prompt,
    asked: askedWithChoices(prompt, endings),
    choices: endings,
    written: lettered(endings),
    right,
    answer: endings[right] ?? "",
  };
}

/** The beginning of the ending's sentence, where it is a column of its own, begins with its one capital letter. */
function contextOf({ ctx = "", ctx_a, ctx_b }: { ctx?: unknown; ctx_a?: unknown; ctx_b?: unknown }): string {
  if (typeof ctx_a !== "string" || typeof ctx_b !== "string") return String(ctx);
  return `${ctx_a} ${ctx_b.charAt(0).toUpperCase()}${ctx_b.slice(1).toLowerCase()}`;
}

/** Without the marks that the WikiHow part of the data has in brackets. */
function withoutMarks(text: string): string {
  return text
    .trim()
    .replaceAll(" [title]", ". ")
    .replaceAll(/\[.*?\]/g, "")
    .replaceAll("  ", " ");
}
