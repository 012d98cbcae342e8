/** The kinds of sources that examples are read from. */
import { z } from "zod";
import { filledText, integer, oneOf, seed, text } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import { chatExample, type Example, type HubSplit, hubSplit, instructionExample } from "../data.js";
import { type ExampleColumns, readColumns } from "./example-columns.js";

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

/** How the rows of a source are read. */
export interface ReadOptions {
  /** The columns that are read, and no others. Default: those of an example's own names. */
  fields?: ExampleColumns | undefined;
}

/** A file of JSON lines on this machine; it is uploaded once, whatever its name. */
export interface JsonlSource extends Readonly<ReadOptions> {
  /** The file's path. */
  readonly jsonl: string;
}

const readShape = { fields: readColumns.optional() };

export const jsonlSource = fieldsOf<JsonlSource>()({ jsonl: filledText("a file's path"), ...readShape });

/** How a file of separated values is read. */
export interface CsvOptions extends ReadOptions {
  /** What separates the cells of a row, for instance a tab: one character, no quote or line break. Default: `,`. */
  separator?: string | undefined;
}

/** A file of comma-separated values on this machine, whose first row names the columns. */
export interface CsvSource extends Readonly<CsvOptions> {
  /** The file's path. */
  readonly csv: string;
}

export const csvSource = fieldsOf<CsvSource>()({
  csv: filledText("a file's path"),
  separator: text()
    .regex(/^[^"\r\n]$/, { error: "one character, no quote or line break" })
    .default(","),
  ...readShape,
});

/** A file of JSON lines on the worker's machine. */
export interface WorkerJsonlSource extends Readonly<ReadOptions> {
  /** The file's path there. */
  readonly workerJsonl: string;
}

export const workerJsonlSource = fieldsOf<WorkerJsonlSource>()({
  workerJsonl: filledText("a path on the worker's machine"),
  ...readShape,
});

/** A split on the hub, downloaded by the worker. */
export interface HubSource extends Readonly<ReadOptions> {
  /** Which split of which data set. */
  readonly hub: HubSplit;
}

export const hubSource = fieldsOf<HubSource>()({ hub: hubSplit, ...readShape });

/** A source that is read whole. */
export type WholeSource =
  | readonly Example[]
  | JsonlSource
  | CsvSource
  | WorkerJsonlSource
  | HubSource
  | Dataset;

const wholeSources = [
  z
    .array(exampleSchema, { error: "a list of examples" })
    .min(1, { error: "a list of at least one example" })
    .readonly(),
  jsonlSource,
  csvSource,
  workerJsonlSource,
  hubSource,
  datasetSchema,
] as const;

const wholeSourceSchema = z.union(wholeSources, {
  error: "examples, jsonl(…), csv(…), workerJsonl(…), hub(…) or a data set of this worker",
});
/** A whole source with every default filled in. */
export type CheckedWholeSource = z.output<typeof wholeSourceSchema>;

/** How a source is split into training and validation data. */
export interface SplitOptions {
  /** The probability of an example to be one of validation: a number above 0 and at most 0.9. */
  validation: number;
  /** Keys the split: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
}

/** Which part of a split it is. */
export interface SplitPart extends SplitOptions {
  /** What is split. */
  data: WholeSource;
  /** The part: `train`, or `validation`. */
  part: "train" | "validation";
}

/** One of the two parts of a source. */
export interface SplitSource {
  /** What is split, and which part of it this is. */
  readonly split: SplitPart;
}

const validationShare = "a number above 0 and at most 0.9";

export const splitPart = fieldsOf<SplitPart>()({
  data: wholeSourceSchema,
  part: oneOf(["train", "validation"]),
  validation: z
    .number({ error: validationShare })
    .gt(0, { error: validationShare })
    .max(0.9, { error: validationShare }),
  seed: seed().default(0n),
});

export const splitSource = fieldsOf<SplitSource>()({ split: splitPart });

/** A source of one file, list or split. */
export type PlainSource = WholeSource | SplitSource;

export const plainSources = [...wholeSources, splitSource] as const;

export const plainSourceSchema = z.union(plainSources, {
  error:
    "examples, jsonl(…), csv(…), workerJsonl(…), hub(…), a part of split(…) or a data set of this worker",
});
/** A plain source with every default filled in. */
export type CheckedPlainSource = z.output<typeof plainSourceSchema>;

/** Examples in a file of JSON lines on this machine: `jsonl("qa.jsonl", { fields: { instruction: "question", output: "answer" } })`. */
export function jsonl(path: string, options: ReadOptions = {}): JsonlSource {
  return { jsonl: path, ...options };
}

/** Examples in a file of comma-separated values on this machine, whose first row names the columns. */
export function csv(path: string, options: CsvOptions = {}): CsvSource {
  return { csv: path, ...options };
}

/** Examples in a file of JSON lines on the worker's machine. */
export function workerJsonl(path: string, options: ReadOptions = {}): WorkerJsonlSource {
  return { workerJsonl: path, ...options };
}

/** Examples of a split on the Hugging Face hub, downloaded by the worker (its extra `data` has to be installed). */
export function hub(
  name: string,
  { fields, ...options }: Omit<HubSplit, "name"> & ReadOptions = {},
): HubSource {
  return { hub: { name, ...options }, ...(fields === undefined ? {} : { fields }) };
}

/** The two parts of a source. */
export interface Split {
  /** What is trained on. */
  readonly train: SplitSource;
  /** What is validated on. */
  readonly validation: SplitSource;
}

/**
 * Splits a source in two: `const { train, validation } = split(jsonl("all.jsonl"), { validation: 0.05 })`.
 *
 * Where an example goes depends on its text and the seed alone: examples of the same text go the same way, and both parts keep the
 * order.
 */
export function split(data: WholeSource, options: SplitOptions): Split {
  return {
    train: { split: { data, part: "train", ...options } },
    validation: { split: { data, part: "validation", ...options } },
  };
}
