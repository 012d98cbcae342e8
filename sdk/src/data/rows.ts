/** Reads rows of any schema, from a list, a file of this machine, or the hub through the worker. */
import { readFile } from "node:fs/promises";
import type { Client } from "../client.js";
import { LadError } from "../errors.js";
import type { CheckedRows, Row } from "../options/data/rows.js";
import { DataService } from "../wire.js";

/**
 * All rows, in order.
 *
 * @throws LadError `not-found` for a missing file or data set, `invalid-data` with the line of a row that is no JSON object
 */
export async function readRows(
  client: Client,
  source: CheckedRows,
  signal: AbortSignal | undefined,
): Promise<readonly Row[]> {
  if (Array.isArray(source)) return source as readonly Row[];
  if ("jsonl" in source) return fileRows(source.jsonl);
  if ("hub" in source) return hubRows(client, source.hub, signal);
  throw new Error("a source of rows is a list, a file or a split of the hub");
}

async function fileRows(path: string): Promise<Row[]> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === "ENOENT";
    throw new LadError(missing ? "not-found" : "invalid-data", `data is ${path}: it cannot be read.`, {
      option: "data",
      value: path,
      remedy: "Give the path of a file of JSON lines.",
      cause,
    });
  });
  return text
    .split("\n")
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, number }) => parsed(line, `Line ${number} of ${path}`));
}

async function hubRows(
  client: Client,
  hub: Extract<CheckedRows, { hub: object }>["hub"],
  signal: AbortSignal | undefined,
): Promise<Row[]> {
  const all: Row[] = [];
  const request = { hub: { ...hub, maxExamples: BigInt(hub.maxExamples) } };
  for await (const { rows } of client.stream(DataService.readHubRows, request, { signal })) {
    for (const row of rows) all.push(parsed(row, `Row ${all.length} of ${hub.name}`));
  }
  return all;
}

function parsed(text: string, what: string): Row {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Row;
  } catch {
    // told below, as any other line that is no object
  }
  throw new LadError("invalid-data", `${what} is no JSON object.`, {
    option: "data",
    remedy: "Give one object a line.",
  });
}
