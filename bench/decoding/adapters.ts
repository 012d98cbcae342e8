/** Adapters that a figure samples from: trained once, and kept by what they were trained on and how. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Adapter,
  type AdapterOptions,
  type Base,
  type DenoisingAttention,
  jsonl,
  type Recipe,
  recipeFor,
} from "../../sdk/src/index.js";
import { locateRuntime } from "../../sdk/src/setup/locate.js";
import { root } from "../../sdk/tools/checkout.js";

/** Where what took long is kept. */
export const KEPT = join(root, "bench/.adapters");
const RANK = 64;

/** A recipe with its rank. */
export interface AdapterRecipe extends Omit<Recipe, "adapter"> {
  readonly adapter: AdapterOptions;
}

/** How the adapters of a base are trained, but for the number of steps. */
export function trainingOf(name: string, attention: DenoisingAttention): AdapterRecipe {
  const recipe = recipeFor(name);
  return {
    ...recipe,
    adapter: { ...recipe.adapter, rank: RANK, seed: 1 },
    training: { ...recipe.training, attention },
  };
}

/** The questions that all figures train on and ask. */
export function questionsOf(split: "train" | "heldout") {
  return jsonl(fileOf(split));
}

/** An adapter after so many steps, loaded or trained. */
export async function adapterOf(
  base: Base,
  recipe: AdapterRecipe,
  steps: number,
  say: (text: string) => void,
): Promise<Adapter> {
  const file = fileOf("train");
  const facts = { base: base.id, adapter: recipe.adapter, training: recipe.training, steps };
  const digest = createHash("sha256")
    .update(JSON.stringify(facts))
    .update(await readFile(file))
    .digest("hex");
  const folder = join(KEPT, digest.slice(0, 16));
  if (existsSync(folder)) return base.loadAdapter(folder);
  const adapter = await base.createAdapter(recipe.adapter);
  say(`training ${steps} steps`);
  const run = adapter.train({ ...recipe.training, data: jsonl(file), steps });
  for await (const event of run) {
    if (event.type === "step" && event.step % 100 === 0) {
      say(`step ${event.step} of ${steps}: CE ${event.report.corruptedContentCe.toFixed(3)}`);
    }
  }
  await mkdir(KEPT, { recursive: true });
  const unfinished = `${folder}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await adapter.save(unfinished);
  await rename(unfinished, folder);
  return adapter;
}

function fileOf(split: "train" | "heldout"): string {
  return join(locateRuntime().runtimeFolder, "lad_runtime/tiny/data", `${split}.jsonl`);
}
