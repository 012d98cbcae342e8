/**
 * Self-speculation with the primitive `predict` alone: the adapter drafts with every open position at MASK, causal forwards of the
 * frozen base check the draft, and the answer is the base's own, in fewer forwards than tokens.
 *
 *     npx tsx examples/speculation.ts [--base tiny] [--adapter folder] [--steps 300] [--temperature 0] [--question "Sort.\n9 4 7"]
 */
import { inverseCdf, Purpose, Runtime, recipeFor, tinyData, tokenDistribution, uniforms } from "lad";
import { commandLine } from "./command-line.js";

const values = commandLine(import.meta.url, {
  base: { type: "string", default: "tiny" },
  adapter: { type: "string" },
  question: { type: "string", default: "Name the capitals.\nPeru Kenya Russia" },
  steps: { type: "string" },
  temperature: { type: "string", default: "0" },
  seed: { type: "string", default: "0" },
});
const temperature = Number(values.temperature);
const seed = BigInt(values.seed);
const draftTokens = 32;
const patience = 2;

const recipe = recipeFor(values.base);
const attention = "causal-prefix";

await using runtime = await Runtime.start();
const base = await runtime.loadBase(values.base, recipe.base);
const adapter = values.adapter ? await base.loadAdapter(values.adapter) : await trained();

const { ids: prompt } = await base.render(values.question);
const answerTokens = recipe.answerTokens ?? recipe.training.windowTokens - prompt.length; // a canvas as in training
const answer: number[] = [];
let round = 0;
let forwards = 0;
let accepted = 0;
let draft: readonly number[] = [];
let q: readonly Float64Array[] = [];
let misses = patience;
answer.push(...judged([], [], await checks([])));
while (answer.length < answerTokens && !isStop(answer.at(-1))) {
  round++;
  const again = draft.length > 0 && misses < patience;
  if (!again) {
    q = await drafts(Math.min(draftTokens, answerTokens - answer.length - 1));
    draft = throughStop(q.map((distribution, i) => inverseCdf(distribution, number(Purpose.draft, i))));
    misses = 0;
  }
  const decided = judged(draft, q, await checks(draft));
  accepted += Math.min(draft.length, decided.length - 1);
  if (again && decided.length === 1) misses++;
  answer.push(...decided);
  [draft, q] = [draft.slice(decided.length), q.slice(decided.length)];
}
console.log(await base.decode(answer.filter((token) => !isStop(token))));
console.log(`${answer.length} tokens in ${forwards} forwards, ${accepted} of them drafted`);
console.log(JSON.stringify(answer));

/** The adapter's distributions at the next `count` positions, in one forward over the canvas. */
async function drafts(count: number): Promise<Float64Array[]> {
  if (count === 0) return [];
  forwards++;
  const masks = Array<number>(answerTokens - answer.length).fill(base.maskTokenId);
  const canvases = [{ ids: [...prompt, ...answer, ...masks], answerStart: prompt.length }];
  const [prediction] = await adapter.predict({ canvases, attention, logits: true });
  const begin = answer.length;
  return Array.from({ length: count }, (_, i) =>
    distributionOf(prediction?.logits, begin + i, base.maskTokenId),
  );
}

/** The base's distributions behind the answer and behind each drafted token, in one causal forward. */
async function checks(draft: readonly number[]): Promise<Float64Array[]> {
  forwards++;
  const ids = [...prompt, ...answer, ...draft];
  const canvases = [{ ids, answerStart: ids.length - draft.length - 1 }];
  const [prediction] = await base.predict({ canvases, attention: "causal", logits: true });
  return Array.from({ length: draft.length + 1 }, (_, i) => distributionOf(prediction?.logits, i));
}

/** The accepted tokens, and the base's own behind them: token x stands with probability min(1, p(x) / q(x)) (arXiv 2211.17192). */
function judged(
  draft: readonly number[],
  q: readonly Float64Array[],
  p: readonly Float64Array[],
): readonly number[] {
  for (const [i, token] of draft.entries()) {
    const [own = [], guess = []] = [p[i], q[i]];
    if (number(Purpose.accept, i) * (guess[token] ?? 0) < (own[token] ?? 0)) continue;
    const residual = Array.from(own, (weight, id) => Math.max(0, weight - (guess[id] ?? 0)));
    return [...draft.slice(0, i), inverseCdf(residual, number(Purpose.residual, i))];
  }
  if (isStop(draft.at(-1))) return draft;
  return [...draft, inverseCdf(p[draft.length] ?? [], number(Purpose.bonus, draft.length))];
}

/** What row `index` of a prediction is drawn from: at temperature 0, its most probable token. */
function distributionOf(logits: Float32Array | undefined, index: number, maskTokenId?: number): Float64Array {
  const size = base.info.vocabSize;
  const row = logits?.subarray(index * size, (index + 1) * size) ?? [];
  return tokenDistribution({
    logits: row,
    maskTokenId,
    ...(temperature > 0 ? { temperature } : { topK: 1 }),
  });
}

function number(purpose: Purpose, position: number): number {
  return uniforms(seed, purpose, 0n, round, position + 1)[position] ?? 0;
}

function throughStop(tokens: readonly number[]): readonly number[] {
  const end = tokens.findIndex(isStop);
  return end < 0 ? tokens : tokens.slice(0, end + 1);
}

function isStop(token: number | undefined): boolean {
  return base.stopTokenIds.includes(token ?? -1);
}

async function trained() {
  const { adapter: options, training } = recipe;
  const fresh = await base.createAdapter({ ...options, rank: 64, seed: 1 });
  const steps = Number(values.steps ?? training.steps);
  await fresh.train({ ...training, attention, data: tinyData.train(), steps }).result();
  return fresh;
}
