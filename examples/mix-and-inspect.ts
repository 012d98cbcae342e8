/**
 * Mixes two sources, reports what was left out, and shows what training would see of them, before any hour is spent:
 *
 *     npx tsx examples/mix-and-inspect.ts [--base tiny]
 */
import { cover, mixture, Runtime, tinyData } from "lad";
import { inspectionText, mixtureText } from "lad/report";
import { commandLine } from "./command-line.js";

const { base: name } = commandLine(import.meta.url, { base: { type: "string", default: "tiny" } });

await using runtime = await Runtime.start();
const base = await runtime.loadBase(name);
const data = mixture({
  sources: {
    questions: { data: tinyData.train(), share: 0.9 },
    own: { data: [{ instruction: "Who are you?", output: "A small model." }], share: 0.1, maxRepeats: 99 },
  },
  examples: 1000,
  without: [tinyData.test()],
});
const { dataset, report } = await base.mix(data);
console.log(`${mixtureText(report)}\n\nas the data set ${dataset.id}\n`);
const inspection = await base.inspect(data, { windowTokens: 96, noise: cover(), noisedExamples: 200 });
console.log(inspectionText(inspection));
