/** Rows of other columns as examples: those that are asked for, under the names of an example's parts. */
import { LadError } from "../errors.js";
import type { ExampleColumns } from "../options.js";
import { textLines } from "./text-lines.js";

const NEEDED: ReadonlySet<string> = new Set(["instruction", "output", "messages"]);

/** JSON lines with those columns alone. A line that is no object stays as it is: the worker refuses it by its number. */
export async function* renamedLines(
  bytes: AsyncIterable<Uint8Array>,
  fields: ExampleColumns,
  path: string,
): AsyncGenerator<string, void, undefined> {
  let number = 0;
  for await (const line of textLines(bytes, path)) {
    number++;
    const row = parsed(line);
    yield `${row === undefined ? line : JSON.stringify(renamed(row, fields, `Line ${number} of ${path}`))}\n`;
  }
}

/**
 * A row's columns that are read.
 *
 * @param place - of the row: `Line 3 of qa.jsonl`
 * @throws LadError `invalid-data` for a missing column that an example needs, and for an id that is no exact number here
 */
export function renamed(
  row: Readonly<Record<string, unknown>>,
  fields: ExampleColumns,
  place: string,
): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [field, column] of Object.entries(fields) as [string, string | undefined][]) {
    if (column === undefined) continue;
    const value = Object.hasOwn(row, column) ? row[column] : undefined;
    if (value === undefined && NEEDED.has(field)) throw noColumn(row, field, column, place);
    if (field === "id" && typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw inexact(column, place);
    }
    if (value !== undefined && value !== null) read[field] = value;
  }
  return read;
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isRow = typeof value === "object" && value !== null && !Array.isArray(value);
    return isRow ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function noColumn(row: object, field: string, column: string, place: string): LadError {
  const names = Object.keys(row).sort().slice(0, 8).join(", ") || "none";
  const problem = `there is no column ${column}, which fields reads as ${field} (its columns: ${names})`;
  return new LadError("invalid-data", `${place}: ${problem}.`, {
    option: `fields.${field}`,
    value: column,
    remedy: `Name the column that is to be the ${field}.`,
  });
}

function inexact(column: string, place: string): LadError {
  return new LadError(
    "invalid-data",
    `${place}: ${column} is beyond 2^53 − 1, where numbers are not exact.`,
    {
      option: "fields.id",
      value: column,
      remedy: "Write it as a string of its digits.",
    },
  );
}
