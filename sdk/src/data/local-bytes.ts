/** The JSON lines of examples, files and tables of this machine. */
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { isLadError, LadError, messageAlone } from "../errors.js";
import type { CheckedWholeSource, Example } from "../options.js";
import { csvLines } from "./csv-lines.js";
import { renamedLines } from "./renamed-lines.js";

const PIECE_BYTES = 2 ** 20;

/** A source whose text is on this machine. */
export interface LocalBytes {
  readonly name: string;
  /** Its JSON lines, in pieces; each call begins anew. */
  bytes(): AsyncIterable<Buffer>;
  /** Throws an error about them as one that has their place. */
  named(error: unknown): never;
}

/** The JSON lines of a source of this machine; undefined for one that the worker reads itself. */
export function localBytes(source: CheckedWholeSource): LocalBytes | undefined {
  if (isExamples(source)) return { name: "data", bytes: () => lines(source), named: thrown };
  if ("jsonl" in source) {
    const { jsonl, fields } = source;
    const bytes = () =>
      fields === undefined ? fileBytes(jsonl) : pieced(renamedLines(fileBytes(jsonl), fields, jsonl));
    return { name: jsonl, bytes, named: (error) => thrown(ofFile(error, jsonl)) };
  }
  if ("csv" in source) {
    const { csv, ...how } = source;
    const bytes = () => pieced(csvLines(fileBytes(csv), how, csv));
    return { name: csv, bytes, named: (error) => thrown(ofFile(error, csv, "Row")) };
  }
  return undefined;
}

function isExamples(source: CheckedWholeSource): source is readonly Example[] {
  return Array.isArray(source);
}

function thrown(error: unknown): never {
  throw error;
}

/** JSON lines in pieces. Their keys are sorted, so that equal examples give equal bytes. */
function lines(examples: readonly Example[]): AsyncGenerator<Buffer, void, undefined> {
  return pieced(written(examples));
}

function* written(examples: readonly Example[]): Generator<string, void, undefined> {
  for (const example of examples) yield `${JSON.stringify(inOrder(example))}\n`;
}

/** Lines in pieces of about 1 MiB. */
async function* pieced(
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<Buffer, void, undefined> {
  let text = "";
  for await (const line of lines) {
    text += line;
    if (text.length >= PIECE_BYTES / 2) {
      yield Buffer.from(text);
      text = "";
    }
  }
  yield Buffer.from(text);
}

function inOrder(example: Example): object {
  if ("messages" in example) {
    const messages = example.messages.map(({ role, content }) => ({ role, content }));
    return { id: example.id, messages, weight: example.weight, source: example.source };
  }
  const { id, system, instruction, input, output, weight, source } = example;
  return { id, system, instruction, input, output, weight, source };
}

/** Bytes as messages hold them. */
export function* inPieces(bytes: Buffer): Generator<Buffer, void, undefined> {
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

/** The worker's error about the data, with the path of their file, and what a line of theirs is in it. */
function ofFile(error: unknown, path: string, line = "Line"): unknown {
  if (!isLadError(error, "invalid-data") || error.value !== undefined) return error;
  const { remedy } = error;
  const text = messageAlone(error)
    .replace(/^Line (\d+) of the data/, `${line} $1 of ${path}`)
    .replaceAll(/(?<=wrong: |wrong, among them |; )line (?=\d+: )/g, `${line.toLowerCase()} `);
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
