/**
 * Adapts a base to diffusion, watches it, saves the adapter in PEFT's format, and answers a question.
 *
 *     npx tsx examples/train-and-sample.ts [--base tiny] [--data folder] [--steps 300] [--question "…"] [--save folder]
 *
 * `--data` is a folder with train.jsonl and validation.jsonl.
 */
import { join } from "node:path";
import { ar, jsonl, Runtime, recipeFor, refine, remask, tinyData } from "lad";
import { drawDenoising, drawTraining, LiveBlock } from "lad/report";
import { commandLine } from "./command-line.js";

const values = commandLine(import.meta.url, {
  base: { type: "string", default: "tiny" },
  data: { type: "string" },
  steps: { type: "string" },
  question: { type: "string", default: "Name the capitals.\nPeru Kenya Russia" },
  save: { type: "string" },
});
const recipe = recipeFor(values.base); // what is known to work on this base
const { adapter: adapterOptions, training } = recipe;
const steps = Number(values.steps ?? training.steps);
const { train, heldout } = values.data
  ? { train: jsonl(join(values.data, "train.jsonl")), heldout: jsonl(join(values.data, "validation.jsonl")) }
  : { train: tinyData.train(), heldout: tinyData.heldout() };

await using runtime = await Runtime.start(); // or { device: "cuda" }, { container: "cpu" }, { address, token }
const base = await runtime.loadBase(values.base, recipe.base);
const adapter = await base.createAdapter({ ...adapterOptions, rank: 64, seed: 1 });

const run = adapter.train({
  ...training,
  data: train,
  validation: { data: heldout, maxExamples: 100 },
  steps,
});
await drawTraining(new LiveBlock(), "training", steps, run);
const { validation } = await run.result();
console.log(`validation CE ${validation?.corruptedCe.toFixed(3)} nats a corrupted token`);

const question = { messages: values.question, seed: 7 };
const denoising = adapter.sample({ ...question, policy: remask({ ...recipe.remask, iterations: 16 }) });
await drawDenoising(new LiveBlock(), "remask", denoising, base);
const refined = await adapter.sample({ ...question, policy: refine({ iterations: 16 }) }).result();
const plain = await base.sample({ ...question, policy: ar() }).result();
console.log(`remask: ${(await denoising.result()).text}`);
console.log(`refine: ${refined.text}`);
console.log(`the base itself: ${plain.text}`);

if (values.save) await adapter.save(values.save);
