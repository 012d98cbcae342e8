#!/usr/bin/env node
/** The command `lad`, on the terminal of this process. */
import { Leaving } from "./leaving.js";
import { runLad } from "./program.js";

const leaving = new Leaving((line) => console.error(line), process.exit);
const words = process.argv.slice(2);
const goesOn = words[0] === "setup"; // a signal may end it at any place: the next one goes on where it was
for (const signal of goesOn ? [] : (["SIGINT", "SIGTERM", "SIGHUP"] as const)) {
  process.on(signal, () => leaving.ask());
}

const { stdin, stdout, stderr } = process;
stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(); // who read has enough, as `head` does
});
process.exitCode = await runLad(words, { stdin, stdout, stderr, leaving });
