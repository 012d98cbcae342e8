/** What tells one question of an evaluation from another, so that neither its place nor its company matters. */
import { createHash } from "node:crypto";
import type { PromptSource } from "../data/text.js";

/** The key of each question: of its prompt as given and its reference, and of how many equal ones came before. */
export function questionKeys(
  questions: readonly PromptSource[],
  references: readonly (string | undefined)[],
): string[] {
  const texts = questions.map(({ messages, ids }, i) => JSON.stringify([messages, ids, references[i]]));
  const befores = equalsBefore(texts);
  return texts.map((text, i) => {
    const before = befores[i] ?? 0;
    const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
    return before === 0 ? digest : `${digest}.${before}`;
  });
}

/** The seed of each question's draws, as `questionSeed` gives it. */
export function questionSeeds(
  seed: bigint,
  prompts: readonly (readonly number[])[],
  references: readonly (string | undefined)[],
): bigint[] {
  const before = equalsBefore(prompts.map((ids, i) => JSON.stringify([ids, references[i]])));
  return prompts.map((ids, i) => questionSeed(seed, ids, references[i], before[i] ?? 0));
}

/** The seed of a question's draws: of the call's seed, the prompt's tokens, the reference, and how many equal questions came before. */
export function questionSeed(
  seed: bigint,
  prompt: readonly number[],
  reference: string | undefined,
  before: number,
): bigint {
  const text = JSON.stringify([prompt, reference]);
  return createHash("sha256").update(`${seed} ${before} ${text}`).digest().readBigUInt64LE(0);
}

/** Of each text, how many equal ones stand before it. */
export function equalsBefore(texts: readonly string[]): number[] {
  const seen = new Map<string, number>();
  return texts.map((text) => {
    const before = seen.get(text) ?? 0;
    seen.set(text, before + 1);
    return before;
  });
}
