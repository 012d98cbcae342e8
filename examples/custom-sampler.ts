/**
 * A sampler of one's own, on the primitive `predict` alone: in every round it keeps what the model is sure of, the least sure
 * third goes back to MASK, and that share shrinks to nothing.
 *
 *     npx tsx examples/custom-sampler.ts [--base tiny] [--adapter folder] [--steps 300] [--question "Sort.\n9 4 7"]
 */
import { type CanvasInput, type CanvasPrediction, Runtime, recipeFor, tinyData } from "lad";
import { drawDenoising, LiveBlock } from "lad/report";
import { commandLine } from "./command-line.js";

const values = commandLine(import.meta.url, {
  base: { type: "string", default: "tiny" },
  adapter: { type: "string" },
  question: { type: "string", default: "Name the capitals.\nPeru Kenya Russia" },
  steps: { type: "string" },
});

const recipe = recipeFor(values.base);
const { adapter: adapterOptions, training } = recipe;

await using runtime = await Runtime.start();
const base = await runtime.loadBase(values.base, recipe.base);
const adapter = values.adapter ? await base.loadAdapter(values.adapter) : await trained();

const { ids } = await base.render(values.question);
const answerTokens = recipe.answerTokens ?? training.windowTokens - ids.length; // a canvas as in training
const canvas = adapter.canvas({ ids, answerTokens, iterations: 12 });
await drawDenoising(new LiveBlock(), "sharpening", rounds(), base);
console.log((await canvas.answer()).text);

/** One round: what is least certain goes back to MASK, fewer and fewer of them. */
function sharpen({ ids, confidences, iteration, iterations }: CanvasPrediction): CanvasInput {
  const count = Math.floor((ids.length / 3) * (1 - (iteration + 1) / iterations));
  const unsure = [...confidences.keys()].sort((a, b) => (confidences[a] ?? 0) - (confidences[b] ?? 0));
  const again = new Set(unsure.slice(0, count));
  return { ids, masked: ids.map((_, position) => again.has(position)) };
}

async function* rounds() {
  while (!canvas.settled) {
    const prediction = await canvas.predict();
    canvas.write(sharpen(prediction));
    const edits = canvas.masked.map((remasked, position) => ({ position, remasked }));
    yield { ...prediction, answer: prediction.ids, edits };
  }
}

async function trained() {
  const fresh = await base.createAdapter({ ...adapterOptions, rank: 64, seed: 1 });
  const steps = Number(values.steps ?? training.steps);
  await fresh.train({ ...training, data: tinyData.train(), steps }).result();
  return fresh;
}
