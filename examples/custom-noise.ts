/**
 * A noise of one's own, trained with the primitives alone: each answer loses one contiguous span.
 *
 *     npx tsx examples/custom-noise.ts [--base tiny] [--steps 60]
 */
import {
  batches,
  learningRate,
  type PreparedExample,
  Purpose,
  Runtime,
  recipeFor,
  targeted,
  tinyData,
  uniforms,
} from "lad";
import { commandLine } from "./command-line.js";

const values = commandLine(import.meta.url, {
  base: { type: "string", default: "tiny" },
  steps: { type: "string", default: "60" },
});
const steps = Number(values.steps);
const seed = 1n;
const schedule = { learningRate: 5e-3, warmupSteps: 5, decay: "cosine", finalFraction: 0 } as const;
const loss = { supervise: "all-answer-tokens", tail: true, tailWeight: 1, weighting: "uniform" } as const;

const recipe = recipeFor(values.base);
await using runtime = await Runtime.start();
const base = await runtime.loadBase(values.base, recipe.base);
const adapter = await base.createAdapter({ rank: 16, seed });

const examples: PreparedExample[] = [];
const { windowTokens } = recipe.training;
for await (const example of base.examples(tinyData.train(), { windowTokens, limit: 2000 })) {
  examples.push(example);
}

let step = 0;
for (const batch of batches(seed, examples.length, 16)) {
  if (step === steps) break;
  const clean = batch.map(({ row }) => examples[row] as PreparedExample);
  const noised = batch.map(({ epoch }, i) => ({ ids: withoutSpan(clean[i] as PreparedExample, epoch) }));
  const { loss: sum, tokens } = await adapter.forwardBackward({ sequences: targeted(clean, noised, loss) });
  const rate = learningRate(schedule, step, steps);
  await adapter.optimStep({ optimizer: "adamw", learningRate: rate, maxGradientNorm: 0.5 });
  step += 1;
  if (step % 10 === 0 || step === steps)
    console.log(`step ${step}: loss ${sum.toFixed(3)} over ${tokens} tokens`);
}

/** Masks a span of up to half the answer. Drawn from (seed, example, epoch): the same in every run, on every machine. */
function withoutSpan({ id, ids, answer }: PreparedExample, epoch: number): number[] {
  const start = answer.indexOf(1);
  const length = answer.lastIndexOf(1) + 1 - start;
  const [where = 0, size = 0] = uniforms(seed, Purpose.noise, id, epoch, 2);
  const span = 1 + Math.floor((size * length) / 2);
  const first = start + Math.floor(where * (length - span + 1));
  return ids.map((token, i) => (i >= first && i < first + span ? base.maskTokenId : token));
}
