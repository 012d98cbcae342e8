/** What every command has in hand. */
import type { Readable } from "node:stream";
import type { LadError } from "../errors.js";
import { type Column, type Output, renderTable } from "../report/index.js";
import { folded } from "./folding.js";
import { typable } from "./invocation.js";
import type { Leaving } from "./leaving.js";

/** Where a command reads and writes. */
export interface Cli {
  /** A pipe, or the keyboard. */
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results alone. */
  readonly stdout: Output;
  /** All else: progress, warnings, errors. */
  readonly stderr: Output;
  /** Whether the user wants to leave. */
  readonly leaving: Leaving;
}

/** Writes a line of a command's result. */
export function print({ stdout }: Cli, line: string): void {
  stdout.write(`${harmless(line, stdout)}\n`);
}

/** Writes sentences of a command's result, in as many columns as the terminal has. */
export function printText(cli: Cli, text: string): void {
  print(cli, folded(text, columnsOf(cli.stdout)));
}

/** Writes a table of a command's result, in as many columns as the terminal has. */
export function printTable<Row>(cli: Cli, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  print(cli, renderTable(columns, rows, columnsOf(cli.stdout)));
}

/** Writes a line about what goes on. A command in it, such as `lad train`, is told as this user types it. */
export function note({ stderr }: Cli, line: string): void {
  stderr.write(`${folded(harmless(typable(line), stderr), columnsOf(stderr))}\n`);
}

/** Writes an error as a line of JSON. */
export function noteError({ stderr }: Cli, error: LadError): void {
  stderr.write(`${harmless(typable(JSON.stringify({ error })), stderr)}\n`);
}

/** The columns of a terminal; as many as one likes in a pipe, in a file, and on a terminal that does not tell. */
export function columnsOf({ isTTY, columns }: Output): number {
  return isTTY && columns ? columns : Number.POSITIVE_INFINITY;
}

/** The text without what would steer a terminal: names and answers are whoever's. */
function harmless(text: string, { isTTY }: Output): string {
  return isTTY ? text.replace(/(?![\n\t])\p{Cc}/gu, " ") : text;
}

/** Writes a value of the result as one line of JSON: numbers that JSON has not as null, integers above 2^53 as digits. */
export function printJson(cli: Cli, value: unknown): void {
  print(
    cli,
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner)),
  );
}
