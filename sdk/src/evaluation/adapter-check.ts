/** How far an adapter moves its base (docs/method.md §7). */
import type { Client } from "../client.js";
import { encodeTexts, promptIds } from "../data/text.js";
import { type CheckedAdapterCheck, NEUTRAL_PROMPTS } from "../options/adapter-check.js";
import type { DenoisingAttention } from "../options/attention.js";
import { checkPredict } from "../options/primitive-checks.js";
import type { AsTrained } from "../runs/as-trained.js";
import type { SamplingTarget } from "../runs/sampling.js";
import { type BaseInfo, present } from "../wire.js";
import { predictCanvases } from "./predicting.js";

/** How far an adapter moves its base at masked answer positions, in the same attention mode. */
export interface AdapterCheck {
  /** Whether any logit differs from the base's: false for an adapter that does nothing, as every new one. */
  readonly moves: boolean;
  /** Mean of KL(base ‖ adapter) over the positions, in nats. */
  readonly meanKl: number;
  /** The largest KL(base ‖ adapter) of a position, in nats. */
  readonly maxKl: number;
  /** The share of positions at which another token is the most probable one. */
  readonly changed: number;
  /** Prompts that were asked. */
  readonly prompts: number;
  /** Positions that were compared. */
  readonly positions: number;
  /** The attention mode of both. */
  readonly attention: DenoisingAttention;
}

/** Compares prompt by prompt, so that no more than one canvas's logits are held of each model. */
export async function checkAdapter(
  client: Client,
  target: SamplingTarget,
  asTrained: AsTrained,
  base: BaseInfo,
  given: CheckedAdapterCheck,
): Promise<AdapterCheck> {
  const { answerTokens, signal } = given;
  const { attention } = await asTrained.predicting(given.attention, signal);
  const prompts = await promptsOf(client, base, given);
  const moved: Movement[] = [];
  for (const prompt of prompts) {
    const ids = [...prompt, ...Array<number>(answerTokens).fill(base.maskTokenId)];
    const options = { canvases: [{ ids, answerStart: prompt.length }], logits: true, attention, signal };
    const asked = checkPredict(options);
    const [before] = await predictCanvases(client, { ...target, adapterId: "" }, asked);
    const [after] = await predictCanvases(client, target, asked);
    moved.push(...movements(present(before, "logits").logits, present(after, "logits").logits, answerTokens));
  }
  return { ...summary(moved), prompts: prompts.length, positions: moved.length, attention };
}

async function promptsOf(
  client: Client,
  base: BaseInfo,
  { prompts, signal }: CheckedAdapterCheck,
): Promise<(readonly number[])[]> {
  if (prompts === undefined && !base.hasChatTemplate) {
    return encodeTexts(client, base.id, NEUTRAL_PROMPTS, { allowSpecial: false, signal });
  }
  const asked =
    prompts ?? NEUTRAL_PROMPTS.map((content) => ({ messages: [{ role: "user" as const, content }] }));
  return Promise.all(asked.map((prompt) => promptIds(client, base.id, prompt, signal)));
}

/** What becomes of one position's distribution. */
interface Movement {
  readonly kl: number;
  readonly moves: boolean;
  readonly changed: boolean;
}

function movements(before: Float32Array, after: Float32Array, positions: number): Movement[] {
  const vocabulary = before.length / positions;
  return Array.from({ length: positions }, (_, position) => {
    const [start, end] = [position * vocabulary, (position + 1) * vocabulary];
    return movement(before.subarray(start, end), after.subarray(start, end));
  });
}

/** Σ p · (log p − log q) in float64, of p = softmax(before) and q = softmax(after); rounding does not make it negative. */
export function movement(before: Float32Array, after: Float32Array): Movement {
  const [p, q] = [normalizer(before), normalizer(after)];
  let kl = 0;
  let moves = false;
  for (let token = 0; token < before.length; token++) {
    const [x, y] = [before[token] ?? 0, after[token] ?? 0];
    moves ||= x !== y;
    kl += Math.exp(x - p.log) * (x - p.log - (y - q.log));
  }
  return { kl: Math.max(0, kl), moves, changed: p.best !== q.best };
}

/** log Σ exp(logit), and the token of the largest logit. */
function normalizer(logits: Float32Array): { log: number; best: number } {
  let best = 0;
  for (let token = 1; token < logits.length; token++) {
    if ((logits[token] ?? 0) > (logits[best] ?? 0)) best = token;
  }
  const most = logits[best] ?? 0;
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
  return { log: most + Math.log(sum), best };
}

function summary(moved: readonly Movement[]) {
  return {
    moves: moved.some(({ moves }) => moves),
    meanKl: moved.reduce((total, { kl }) => total + kl, 0) / moved.length,
    maxKl: moved.reduce((most, { kl }) => Math.max(most, kl), 0),
    changed: moved.filter(({ changed }) => changed).length / moved.length,
  };
}
