/** Data sets of the worker, read back. */

import { check } from "../checks/check.js";
import type { Client } from "../client.js";
import { type Example, exampleSchema } from "../options.js";
import { DataService } from "../wire.js";

/** The columns of an example; a file may have others. */
const COLUMNS: ReadonlySet<string> = new Set([
  "id",
  "system",
  "instruction",
  "input",
  "output",
  "messages",
  "weight",
  "source",
]);

/** The examples of a data set, in order. */
export async function downloadExamples(
  client: Client,
  datasetId: string,
  signal: AbortSignal | undefined,
): Promise<Example[]> {
  const pieces: Uint8Array[] = [];
  for await (const { data } of client.stream(DataService.downloadDataset, { datasetId }, { signal })) {
    pieces.push(data);
  }
  const text = Buffer.concat(pieces)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, i) => check(exampleSchema, columnsOf(JSON.parse(line)), `data[${i}]`));
}

/** What the worker reads of a row: known columns with values, an id as the number that it writes. */
function columnsOf(row: Record<string, unknown>): Record<string, unknown> {
  const read = Object.entries(row).filter(([name, value]) => COLUMNS.has(name) && value !== null);
  return Object.fromEntries(read.map(([name, value]) => [name, name === "id" ? Number(value) : value]));
}
