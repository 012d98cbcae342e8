/** What every command has in hand. */
import type { Readable } from "node:stream";
import type { Output } from "../report/index.js";
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
export function print(cli: Cli, line: string): void {
  cli.stdout.write(`${line}\n`);
}

/** Writes a line about what goes on. */
export function note(cli: Cli, line: string): void {
  cli.stderr.write(`${line}\n`);
}

/** Writes a value of the result as one line of JSON: numbers that JSON has not as null, integers above 2^53 as digits. */
export function printJson(cli: Cli, value: unknown): void {
  print(
    cli,
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner)),
  );
}
