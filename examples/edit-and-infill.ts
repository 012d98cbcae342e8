/**
 * What a diffusion model does with an answer that is partly there: writes the middle, keeps a sentence, rewrites a span, fills in the
 * values of a form. Each is one call.
 *
 *     npx tsx examples/edit-and-infill.ts [--base tiny] [--adapter folder] [--steps 1000]
 */
import { type AnswerPiece, draftOf, gap, Runtime, recipeFor, refine, tinyData } from "lad";
import { commandLine } from "./command-line.js";

const values = commandLine(import.meta.url, {
  base: { type: "string", default: "tiny" },
  adapter: { type: "string" },
  steps: { type: "string" },
});
const { base: baseOptions, adapter: settings, training } = recipeFor(values.base);
const messages = "Name the capitals.\nPeru Kenya Russia";

await using runtime = await Runtime.start();
const base = await runtime.loadBase(values.base, baseOptions);
const adapter = values.adapter ? await base.loadAdapter(values.adapter) : await trained();

await show("the middle", [
  "The capital of Peru is Lima. The capital of",
  gap(4),
  " The capital of Russia is Moscow.",
]);
await show("a kept sentence", [gap(7), " The capital of Kenya is Nairobi.", gap(8)]);
await show("a rewritten span", [
  "The capital of Peru is",
  draftOf(" Moscow"),
  ". The capital of Kenya is Nairobi.",
]);
await show("a form", [
  "The capital of Peru is",
  gap({ upTo: 3 }),
  ". The capital of Kenya is",
  gap({ upTo: 3 }),
  ". The capital of Russia is",
  gap({ upTo: 3 }),
  ".",
]);

async function show(what: string, answer: readonly AnswerPiece[]) {
  const { text, gaps } = await adapter
    .sample({ messages, answer, policy: refine({ iterations: 4 }) })
    .result();
  console.log(`${what} (gaps of ${gaps?.join(", ") || "no"} tokens): ${text}`);
}

async function trained() {
  const fresh = await base.createAdapter({ ...settings, rank: 64, seed: 1 });
  const steps = Number(values.steps ?? training.steps);
  await fresh.train({ ...training, data: tinyData.train(), steps }).result();
  return fresh;
}
