import { z } from "zod";
import { check } from "../checks/check.js";
import { filledText, integer } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type CallOptions, callShape } from "./call.js";
import {
  chatExample,
  type Example,
  type HubSplit,
  hubSplit,
  instructionExample,
  type WindowOptions,
  windowShape,
} from "./data.js";

export const exampleSchema = z.union([instructionExample, chatExample], {
  error: "an object with instruction and output, or with messages",
});

/** A data set that the worker holds. */
export interface Dataset {
  /** The SHA-256 of its JSON lines: 64 hexadecimal digits. */
  readonly id: string;
  /** How many examples it has: an integer from 0 to 9,007,199,254,740,991. */
  readonly examples: number;
}

export const datasetSchema = fieldsOf<Dataset>()({
  id: z.string({ error: "a data set's id" }).regex(/^[0-9a-f]{64}$/, { error: "64 hexadecimal digits" }),
  examples: integer(0, Number.MAX_SAFE_INTEGER),
});

/** A file of JSON lines on this machine; it is uploaded once, whatever its name. */
export interface JsonlSource {
  /** The file's path. */
  readonly jsonl: string;
}

export const jsonlSource = fieldsOf<JsonlSource>()({ jsonl: filledText("a file's path") });

/** A file of JSON lines on the worker's machine. */
export interface WorkerJsonlSource {
  /** The file's path there. */
  readonly workerJsonl: string;
}

export const workerJsonlSource = fieldsOf<WorkerJsonlSource>()({
  workerJsonl: filledText("a path on the worker's machine"),
});

/** A split on the hub, downloaded by the worker. */
export interface HubSource {
  /** Which split of which data set. */
  readonly hub: HubSplit;
}

export const hubSource = fieldsOf<HubSource>()({ hub: hubSplit });

/** Where examples come from. */
export type DataSource = readonly Example[] | JsonlSource | WorkerJsonlSource | HubSource | Dataset;

const SOURCES = "examples, jsonl(…), workerJsonl(…), hub(…) or a data set of this worker";

export const dataSourceSchema = z.union(
  [
    z
      .array(exampleSchema, { error: "a list of examples" })
      .min(1, { error: "a list of at least one example" })
      .readonly(),
    jsonlSource,
    workerJsonlSource,
    hubSource,
    datasetSchema,
  ],
  { error: SOURCES },
);
/** A source with every default filled in. */
export type CheckedSource = z.output<typeof dataSourceSchema>;

/** Examples in a file of JSON lines on this machine. */
export function jsonl(path: string): JsonlSource {
  return { jsonl: path };
}

/** Examples in a file of JSON lines on the worker's machine. */
export function workerJsonl(path: string): WorkerJsonlSource {
  return { workerJsonl: path };
}

/** Examples of a split on the Hugging Face hub, downloaded by the worker (its extra `data` has to be installed). */
export function hub(name: string, options: Omit<HubSplit, "name"> = {}): HubSource {
  return { hub: { name, ...options } };
}

/** One row of a data set, with the columns that it has. */
export type Row = Readonly<Record<string, unknown>>;

/** Where rows come from: objects, `jsonl(…)` of this machine, or `hub(…)`. */
export type RowSource = readonly Row[] | JsonlSource | HubSource;

export const rowSourceSchema = z.union(
  [
    z
      .array(z.record(z.string(), z.unknown(), { error: "an object" }), { error: "a list of rows" })
      .min(1, { error: "a list of at least one row" })
      .readonly(),
    jsonlSource,
    hubSource,
  ],
  { error: "rows, jsonl(…) or hub(…)" },
);
/** A source of rows with every default filled in. */
export type CheckedRows = z.output<typeof rowSourceSchema>;

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
