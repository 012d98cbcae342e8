#!/usr/bin/env node
/** The command `lad`, on the terminal of this process. */
import { Leaving } from "./leaving.js";
import { runLad } from "./program.js";

const leaving = new Leaving((line) => console.error(line), process.exit);
const words = process.argv.slice(2);
const asks = words[0] !== "setup"; // which a signal may end at any place: it goes on where it was
for (const signal of asks ? (["SIGINT", "SIGTERM", "SIGHUP"] as const) : []) {
  process.on(signal, () => leaving.ask());
}

const { stdin, stdout, stderr } = process;
process.exitCode = await runLad(words, { stdin, stdout, stderr, leaving });
