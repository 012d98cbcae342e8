/** Mends what lint and format can mend, in both languages and the protocol: `npm run fix`. */
import { execa } from "execa";
import { inFolder, pythonOfCheckout } from "./checkout.js";

const { python, env } = pythonOfCheckout();
const COMMANDS: [string, ...string[]][] = [
  ["biome", "check", "--write", "."],
  ["buf", "format", "--write", "proto"],
  [python, "-m", "ruff", "check", "--fix", "runtime", "test/runtime", "bench"],
  [python, "-m", "ruff", "format", "runtime", "test/runtime", "bench"],
];

for (const [command, ...words] of COMMANDS) {
  const { failed } = await execa(command, words, { ...inFolder(env), reject: false });
  if (failed) process.exitCode = 1;
}
