/**
 * Measures one figure: `npm run bench -- <name>`.
 *
 * Its result goes to standard output, as text or (`--json`) as one JSON object; how it is getting on goes to standard error.
 */
import { LadError } from "../sdk/src/errors.js";
import { FIGURES } from "./figures/all.js";
import { Bench } from "./harness/bench.js";
import { parseBench, USAGE } from "./harness/options.js";
import { asText } from "./harness/result.js";

const words = process.argv.slice(2);
if (words.length === 0 || words.includes("--help")) {
  const width = Math.max(...Object.keys(FIGURES).map((name) => name.length));
  const lines = Object.entries(FIGURES).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`);
  console.log([USAGE, ...lines].join("\n"));
} else {
  try {
    await measure();
  } catch (error) {
    console.error(error instanceof LadError ? error.message : error);
    process.exitCode = 1;
  }
}

async function measure(): Promise<void> {
  const options = parseBench(words, FIGURES);
  const { name, json } = options;
  await using bench = await Bench.open(options);
  const outcome = await FIGURES[name]?.measure(bench);
  if (outcome === undefined) return;
  if ("text" in outcome) console.log(json ? JSON.stringify({ name, ...outcome.json }) : outcome.text);
  else console.log(json ? JSON.stringify({ name, ...outcome.result }) : asText(name, outcome));
}
