/** What every command has in hand. */
import type { Readable } from "node:stream";
import type { Output } from "../report/index.js";
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

/** Writes a line about what goes on. A command in it, such as `lad train`, is told as this user types it. */
export function note({ stderr }: Cli, line: string): void {
  stderr.write(`${harmless(typable(line), stderr)}\n`);
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
