/**
 * Measures every claim of the LAD paper in miniature, on the shipped bases, and writes a report with a verdict for each.
 *
 *     npx tsx examples/reproduce-lad.ts [--out reproduction] [--quick]
 *
 * To be read, and changed into a reproduction of one's own: other bases, ranks, data. What one runs is `lad reproduce`, which plans it,
 * shows its progress and stops well. Either goes on with what its folder keeps.
 */
import { Runtime, reproduceLad } from "lad";
import { commandLine } from "./command-line.js";

const { out, quick } = commandLine(import.meta.url, {
  out: { type: "string", default: "reproduction" },
  quick: { type: "boolean", default: false },
});
const few = { steps: 200, questions: 40, iterations: [1, 4, 16, 64] };
const reproduction = reproduceLad({ folder: out, ...(quick ? few : {}) });

await using runtime = await Runtime.start({ device: "cpu" });
for await (const { name, done, total, error } of reproduction.run(runtime)) {
  console.error(`${done}/${total} ${name}${error === undefined ? "" : `: ${error.message}`}`);
}
for (const { title, findings } of reproduction.judge()) {
  console.log(title);
  for (const { claim, holds, figure } of findings)
    console.log("   ", claim, holds ?? "undecided", figure.value);
}
console.log((await reproduction.report()).html);
