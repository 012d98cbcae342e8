/** The command line in this process, with what it writes. */
import { Readable } from "node:stream";
import type { Cli } from "../../../sdk/src/cli/cli.js";
import { Leaving } from "../../../sdk/src/cli/leaving.js";
import { runLad } from "../../../sdk/src/cli/program.js";

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A command's streams, and the status of a process that it has killed. */
export function captured(input = "") {
  const written = { out: "", err: "" };
  const killed: number[] = [];
  const into = (stream: keyof typeof written) => (text: string) => {
    written[stream] += text;
  };
  const leaving = new Leaving(
    (line) => into("err")(`${line}\n`),
    (status) => killed.push(status),
  );
  const cli: Cli = {
    stdin: Readable.from([input]),
    stdout: { write: into("out") },
    stderr: { write: into("err") },
    leaving,
  };
  return { cli, written, killed, leaving };
}

/** Runs a command to its end. */
export async function lad(words: readonly string[], input = ""): Promise<Ran> {
  const { cli, written } = captured(input);
  const status = await runLad(words, cli);
  return { status, ...written };
}

/** Lines of JSON. */
export function lines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
