import { z } from "zod";
import { check } from "../checks/check.js";
import { fields, filledText, integer } from "../checks/fields.js";
import { callShape } from "./call.js";
import {
  chatExample,
  type Example,
  type HubSplit,
  hubSplit,
  instructionExample,
  windowShape,
} from "./data.js";

const exampleSchema = z.union([instructionExample, chatExample], {
  error: "an object with instruction and output, or with messages",
});

/** A data set that the worker holds, named by the SHA-256 of its JSON lines. */
const datasetSchema = fields({
  id: z.string({ error: "a data set's id" }).regex(/^[0-9a-f]{64}$/, { error: "64 hexadecimal digits" }),
  /** How many examples it has. */
  examples: integer(0, Number.MAX_SAFE_INTEGER),
});
export type Dataset = Readonly<z.output<typeof datasetSchema>>;

/** A file of JSON lines on this machine; it is uploaded once, whatever its name. */
export interface JsonlSource {
  readonly jsonl: string;
}

/** A file of JSON lines on the worker's machine. */
export interface WorkerJsonlSource {
  readonly workerJsonl: string;
}

/** A split on the hub, downloaded by the worker. */
export interface HubSource {
  readonly hub: HubSplit;
}

/** Where examples come from. */
export type DataSource = readonly Example[] | JsonlSource | WorkerJsonlSource | HubSource | Dataset;

const SOURCES = "examples, jsonl(…), workerJsonl(…), hub(…) or a data set of this worker";

export const dataSourceSchema = z.union(
  [
    z
      .array(exampleSchema, { error: "a list of examples" })
      .min(1, { error: "a list of at least one example" })
      .readonly(),
    fields({ jsonl: filledText("a file's path") }),
    fields({ workerJsonl: filledText("a path on the worker's machine") }),
    fields({ hub: hubSplit }),
    datasetSchema,
  ],
  { error: SOURCES },
);

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

const prepareFields = fields({ ...windowShape, ...callShape });
/** Options of `base.prepare`. */
export type PrepareOptions = z.input<typeof prepareFields>;

/** @throws LadError `invalid-option` */
export function checkPrepare(data: DataSource, options: PrepareOptions) {
  const source: DataSource = check(dataSourceSchema, data, "data");
  const { signal, timeoutMs, ...window } = check(prepareFields, options);
  return { source, window, signal, timeoutMs };
}

const examplesFields = fields({
  ...windowShape,
  /** The first row wanted. */
  offset: integer(0, Number.MAX_SAFE_INTEGER).default(0),
  /** 0: to the end. */
  limit: integer(0, Number.MAX_SAFE_INTEGER).default(0),
  ...callShape,
});
/** Options of `base.examples`. */
export type ExamplesOptions = z.input<typeof examplesFields>;

/** @throws LadError `invalid-option` */
export function checkExamples(data: DataSource, options: ExamplesOptions) {
  const source: DataSource = check(dataSourceSchema, data, "data");
  const { signal, timeoutMs, offset, limit, ...window } = check(examplesFields, options);
  return { source, window, offset, limit, signal, timeoutMs };
}
