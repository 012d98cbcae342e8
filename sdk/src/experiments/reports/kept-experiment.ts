/** What a manifest has to keep so that the report of an experiment can be made of it. */
import { z } from "zod";
import { firstProblem, optionName } from "../../checks/check.js";
import { LadError } from "../../errors.js";
import { measures } from "../../evaluation/measures/measures.js";

/** NaN and infinities are kept too. */
const number = z.custom<number>((value) => typeof value === "number", { error: "a number" });
const text = z.string({ error: "a string" });
const cell = z.union([number, z.bigint()], { error: "a number" }).nullish();
const loose = <Shape extends z.ZodRawShape>(shape: Shape) => z.looseObject(shape, { error: "an object" });
const list = <Item extends z.ZodType>(item: Item) => z.array(item, { error: "a list" });

const measured = loose({
  value: number,
  n: number.optional(),
  interval: z.tuple([number, number], { error: "two numbers" }).optional(),
  by: text.optional(),
});
/** Every measure that is there; those that a chart is drawn of always are. */
const evaluation = loose({
  ...Object.fromEntries(Object.keys(measures).map((name) => [name, measured.optional()])),
  exactMatch: measured,
  forwards: measured,
});
const steps = list(loose({ step: number, corruptedCe: number }));
const data = loose({ sha256: text }).optional();
const policy = z.union([text, loose({ kind: text, iterations: number.optional() })], {
  error: "a policy's name, or an object with its kind",
});

const specSchema = loose({
  name: text.optional(),
  training: loose({ data, validation: loose({ data }).nullish() }),
  evaluation: loose({ data, sampling: list(loose({ policy: policy.optional() })).optional() }).optional(),
});

const resultSchema = loose({
  adapter: loose({ parameterCount: cell }),
  training: loose({
    steps: cell,
    tokensPerSecond: cell,
    seconds: cell,
    best: loose({ ce: cell, step: cell }).nullish(),
  }),
  validation: loose({ corruptedCe: cell, corruptedContentCe: cell, ce: cell }).nullish(),
  evaluations: list(evaluation),
  losses: steps,
  validations: steps,
});

/**
 * Checks the parts of an experiment's spec and of its points' results that its report is made of.
 *
 * @throws LadError `invalid-file` that names the part
 */
export function checkKeptExperiment(path: string, spec: unknown, results: readonly unknown[]): void {
  checkPart(path, "spec", specSchema, spec);
  for (const result of results) checkPart(path, "result", resultSchema, result);
}

function checkPart(path: string, part: string, schema: z.ZodType, value: unknown): void {
  const { error } = schema.safeParse(value, { reportInput: true });
  if (error === undefined) return;
  const { path: within, problem } = firstProblem(error.issues);
  throw new LadError(
    "invalid-file",
    `manifest is ${path}: ${optionName([part, ...within])} cannot be reported: ${problem}.`,
    {
      option: "manifest",
      value: path,
      remedy: "Give a manifest as runExperiment writes it.",
    },
  );
}
