/** The kinds of sources that examples are read from. */
import { z } from "zod";
import { filledText, integer } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import { chatExample, type Example, type HubSplit, hubSplit, instructionExample } from "../data.js";

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

/** A source that is read as it is. */
export type PlainSource = readonly Example[] | JsonlSource | WorkerJsonlSource | HubSource | Dataset;

export const plainSources = [
  z
    .array(exampleSchema, { error: "a list of examples" })
    .min(1, { error: "a list of at least one example" })
    .readonly(),
  jsonlSource,
  workerJsonlSource,
  hubSource,
  datasetSchema,
] as const;

export const plainSourceSchema = z.union(plainSources, {
  error: "examples, jsonl(…), workerJsonl(…), hub(…) or a data set of this worker",
});
/** A plain source with every default filled in. */
export type CheckedPlainSource = z.output<typeof plainSourceSchema>;

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
