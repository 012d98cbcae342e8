import { z } from "zod";
import { check } from "../checks/check.js";
import { integer } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type CallOptions, callShape } from "./call.js";
import { type Mixture, mixtureSource } from "./data/mixture.js";
import { type PlainSource, plainSources } from "./data/sources.js";
import { type WindowOptions, windowShape } from "./data.js";

/** Where examples come from. */
export type DataSource = PlainSource | Mixture;

export const dataSourceSchema = z.union([...plainSources, mixtureSource], {
  error:
    "examples, jsonl(…), csv(…), workerJsonl(…), hub(…), a part of split(…), mixture(…) or a data set of this worker",
});
/** A source with every default filled in. */
export type CheckedSource = z.output<typeof dataSourceSchema>;

/** Options of `base.prepare`. */
export interface PrepareOptions extends WindowOptions, CallOptions {}

export const prepareFields = fieldsOf<PrepareOptions>()({ ...windowShape, ...callShape });

/** @throws LadError `invalid-option` */
export function checkPrepare(data: DataSource, options: PrepareOptions) {
  const source = checkSource(data);
  const { signal, timeoutMs, ...window } = check(prepareFields, options);
  return { source, window, signal, timeoutMs };
}

/** Options of `base.examples` and `base.questions`. */
export interface ExamplesOptions extends WindowOptions, CallOptions {
  /** The first row wanted: an integer from 0 to 9,007,199,254,740,991. Default: 0. */
  offset?: number | undefined;
  /** How many rows: an integer from 0 to 9,007,199,254,740,991. Default: 0, to the end. */
  limit?: number | undefined;
}

export const examplesFields = fieldsOf<ExamplesOptions>()({
  ...windowShape,
  offset: integer(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: integer(0, Number.MAX_SAFE_INTEGER).default(0),
  ...callShape,
});
export type CheckedExamples = ReturnType<typeof checkExamples>;

/** @throws LadError `invalid-option` */
export function checkExamples(data: DataSource, options: ExamplesOptions) {
  const source = checkSource(data);
  const { signal, timeoutMs, offset, limit, ...window } = check(examplesFields, options);
  return { source, window, offset, limit, signal, timeoutMs };
}

/** @throws LadError `invalid-option` */
export function checkSource(data: DataSource): CheckedSource {
  return check(dataSourceSchema, data, "data");
}
