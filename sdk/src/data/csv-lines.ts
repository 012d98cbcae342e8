/** Files of separated values (RFC 4180) as JSON lines. */
import { dsvFormat } from "d3-dsv";
import { LadError } from "../errors.js";
import type { ExampleColumns } from "../options.js";
import { renamed } from "./renamed-lines.js";
import { texts } from "./text-lines.js";

/** How a file's cells are read. */
interface Reading {
  readonly separator: string;
  readonly fields?: ExampleColumns | undefined;
}

/**
 * A JSON line for each row behind the first, which names the columns. An empty cell is as good as none, but for an answer's.
 *
 * @throws LadError `invalid-data` for a quote that is not closed, and for a row of more or fewer cells than there are columns
 */
export async function* csvLines(
  bytes: AsyncIterable<Uint8Array>,
  { separator, fields }: Reading,
  path: string,
): AsyncGenerator<string, void, undefined> {
  let text = "";
  for await (const piece of texts(bytes, path)) text += piece;
  checkQuotes(text, path);
  const [columns = [], ...rows] = dsvFormat(separator).parseRows(text);
  checkColumns(columns, path);
  for (const [index, cells] of rows.entries()) {
    const place = `Row ${index + 1} of ${path}`;
    if (cells.length === 1 && cells[0] === "") {
      yield "\n";
      continue;
    }
    if (cells.length !== columns.length) throw ragged(cells.length, columns.length, place);
    const row = Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? ""]));
    yield `${JSON.stringify(example(fields === undefined ? row : renamed(row, fields, place)))}\n`;
  }
}

/** A row's values: a weight is a number, and empty cells are absent. */
function example(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(row).filter(([name, cell]) => cell !== "" || name === "output");
  return Object.fromEntries(given.map(([name, cell]) => [name, name === "weight" ? numberOf(cell) : cell]));
}

/** The number that a cell writes; any other text stays, to be refused by its row. */
function numberOf(cell: unknown): unknown {
  const text = String(cell).trim();
  const value = Number(text);
  return text === "" || !Number.isFinite(value) ? cell : value;
}

function checkQuotes(text: string, path: string): void {
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes++;
  if (quotes % 2 === 0) return;
  throw new LadError("invalid-data", `data is ${path}: a quote is not closed.`, {
    option: "data",
    value: path,
    remedy: 'Put cells with quotes or line breaks in quotes, and write a quote within as "".',
  });
}

function checkColumns(columns: readonly string[], path: string): void {
  const twice = columns.find((name, i) => columns.indexOf(name) < i);
  const problem =
    columns.join("") === ""
      ? "its first row names no columns"
      : twice && `two columns have the name ${twice}`;
  if (problem === undefined) return;
  throw new LadError("invalid-data", `data is ${path}: ${problem}.`, {
    option: "data",
    value: path,
    remedy: "Let the first row name each column.",
  });
}

function ragged(cells: number, columns: number, place: string): LadError {
  return new LadError("invalid-data", `${place}: it has ${cells} cells, and there are ${columns} columns.`, {
    option: "data",
    value: cells,
    remedy: "Put cells with separators, quotes or line breaks in quotes, or give another separator.",
  });
}
