/** Uploads examples to the worker. A data set is addressed by its content, so equal data is uploaded once. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import type { Client } from "../client.js";
import { isLadError, LadError } from "../errors.js";
import type { CheckedPlainSource, Dataset, Example } from "../options.js";
import { DataService, type pb } from "../wire.js";

const PIECE_BYTES = 2 ** 20;

/**
 * The data set of a plain source, which is uploaded or opened if the worker does not have it.
 *
 * @throws LadError `not-found` for a missing file, `invalid-data` with the line for an example that cannot be read
 */
export async function openSource(
  client: Client,
  source: CheckedPlainSource,
  signal?: AbortSignal,
): Promise<Dataset> {
  if ("id" in source) return source;
  if (isExamples(source)) return upload(client, () => lines(source), "data", signal);
  if ("jsonl" in source) {
    const { jsonl } = source;
    return upload(client, () => fileBytes(jsonl), jsonl, signal).catch((error: unknown) => {
      throw ofFile(error, jsonl);
    });
  }
  const request = { source: toOpen(source) };
  const { datasetId, examples } = await client.call(DataService.openDataset, request, { signal });
  return { id: datasetId, examples: Number(examples) };
}

function isExamples(source: CheckedPlainSource): source is readonly Example[] {
  return Array.isArray(source);
}

/** Sources that the worker reads itself. */
type Fetched = Extract<CheckedPlainSource, { workerJsonl: string } | { hub: object }>;

function toOpen(source: Fetched): NonNullable<pb.data.OpenDatasetRequest["source"]> {
  if ("workerJsonl" in source) return { $case: "path", value: source.workerJsonl };
  const { maxExamples, ...names } = source.hub;
  return { $case: "hub", value: { ...names, maxExamples: BigInt(maxExamples) } };
}

/** Hashes the bytes, and sends them unless the worker has a data set with that hash. */
async function upload(
  client: Client,
  bytes: () => AsyncIterable<Buffer>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Dataset> {
  const hash = createHash("sha256");
  for await (const piece of bytes()) hash.update(piece);
  const id = hash.digest("hex");
  const requests = async function* () {
    for await (const data of bytes()) yield { data };
  };
  const bring = (unlimited: Client, stop: AbortSignal) => send(unlimited, id, requests, name, stop);
  return client.bring(id, bring, DataService.uploadDataset, { signal });
}

/** Sends the bytes. An upload may be repeated: equal bytes are the same data set. */
async function send(
  client: Client,
  id: string,
  requests: () => AsyncIterable<{ data: Buffer }>,
  name: string,
  signal: AbortSignal,
): Promise<Dataset> {
  const known = await client.call(DataService.hasDataset, { datasetId: id }, { signal });
  if (known.found) return { id, examples: Number(known.examples) };
  const reply = await client.upload(DataService.uploadDataset, requests, { signal });
  if (reply.datasetId !== id) {
    throw new LadError("invalid-data", `${name} changed while it was being read.`, {
      option: "data",
      value: name,
      remedy: "Start again once nothing writes to it.",
    });
  }
  return { id, examples: Number(reply.examples) };
}

/** JSON lines in pieces of about 1 MiB. Their keys are sorted, so that equal examples give equal bytes. */
async function* lines(examples: readonly Example[]): AsyncGenerator<Buffer, void, undefined> {
  let text = "";
  for (const example of examples) {
    text += `${JSON.stringify(inOrder(example))}\n`;
    if (text.length >= PIECE_BYTES / 2) {
      yield* pieces(Buffer.from(text));
      text = "";
    }
  }
  yield* pieces(Buffer.from(text));
}

function inOrder(example: Example): object {
  if ("messages" in example) {
    const messages = example.messages.map(({ role, content }) => ({ role, content }));
    return { id: example.id, messages, weight: example.weight, source: example.source };
  }
  const { id, system, instruction, input, output, weight, source } = example;
  return { id, system, instruction, input, output, weight, source };
}

function* pieces(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    yield bytes.subarray(start, start + PIECE_BYTES);
  }
}

async function* fileBytes(path: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) yield piece as Buffer;
  } catch (error) {
    throw isLadError(error) ? error : unreadable(path, error);
  }
}

/** The worker's error about the data, with the path of their file. */
function ofFile(error: unknown, path: string): unknown {
  if (!isLadError(error, "invalid-data") || error.value !== undefined) return error;
  const { message, remedy } = error;
  const problem = remedy === undefined ? message : message.slice(0, -remedy.length - 1);
  const text = problem.replace(" of the data", ` of ${path}`);
  return new LadError("invalid-data", text, { option: "data", value: path, remedy, cause: error });
}

/** The error of a file of JSON lines that cannot be read. */
export function unreadable(path: string, cause: unknown): LadError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const missing = code === "ENOENT";
  const problem = missing ? "there is no such file" : code === "EISDIR" ? "it is a folder" : message;
  return new LadError(missing ? "not-found" : "invalid-data", `data is ${resolve(path)}: ${problem}.`, {
    option: "data",
    value: path,
    remedy: "Give the path of a file of JSON lines.",
    cause,
  });
}
