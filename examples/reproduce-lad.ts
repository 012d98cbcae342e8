/**
 * Measures every claim of the LAD paper in miniature, on the shipped bases, and writes a report with a verdict for each.
 *
 *     npx tsx examples/reproduce-lad.ts [--out reproduction] [--quick]
 *
 * What is measured is kept in the folder: after a Ctrl-C the same command goes on. `--quick` takes few steps and questions, to see it
 * work. From a shell, `lad reproduce` does the same, plans it, and takes other bases, ranks and data: the paper's own too.
 */
import { isLadError, Runtime, reproduceLad } from "lad";
import { duration, number } from "lad/report";
import { commandLine } from "./command-line.js";

const { out, quick } = commandLine(import.meta.url, {
  out: { type: "string", default: "reproduction" },
  quick: { type: "boolean", default: false },
});
const reproduction = reproduceLad({
  folder: out,
  ...(quick ? { steps: 200, questions: 40, iterations: [1, 4, 16, 64] } : {}),
});
await using runtime = await Runtime.start({ device: "cpu" });

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
try {
  for await (const piece of reproduction.run(runtime, { signal: stop.signal })) {
    const { name, done, total, seconds, resumed, error } = piece;
    if (!resumed) console.error(`${done}/${total} ${name}: ${error?.message ?? duration(seconds)}`);
  }
} catch (error) {
  if (!isLadError(error, "cancelled")) throw error;
  console.error(`Stopped. What is done is kept in ${out}: the same command goes on.`);
}

for (const { id, title, findings } of reproduction.judge()) {
  console.log(`(${id}) ${title}`);
  for (const { claim, holds, figure, unit } of findings) {
    const verdict = holds === undefined ? "undecided" : holds ? "holds" : "does not hold";
    const [low, high] = figure.interval.map((end) => number(end));
    console.log(`    ${verdict}: ${claim}: ${number(figure.value)} [${low}, ${high}] ${unit}`);
  }
}
const command = `npx tsx examples/reproduce-lad.ts${quick ? " --quick" : ""}`;
console.log(`\nThe report: ${(await reproduction.report(command)).html}`);
