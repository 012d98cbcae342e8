/** What tells one question of an evaluation from another, so that neither its place nor its company matters. */
import { createHash } from "node:crypto";
import type { PromptSource } from "../data/text.js";

/** The key of each question: of its prompt as given and its reference, and of how many equal ones came before. */
export function questionKeys(
  questions: readonly PromptSource[],
  references: readonly (string | undefined)[],
): string[] {
  const texts = questions.map(({ messages, ids }, i) => JSON.stringify([messages, ids, references[i]]));
  return occurrences(texts).map(([text, before]) => {
    const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
    return before === 0 ? digest : `${digest}.${before}`;
  });
}

/** The seed of each question's draws: of the evaluation's seed, the prompt's tokens, the reference, and how many equal ones came before. */
export function questionSeeds(
  seed: bigint,
  prompts: readonly (readonly number[])[],
  references: readonly (string | undefined)[],
): bigint[] {
  const texts = prompts.map((ids, i) => JSON.stringify([ids, references[i]]));
  return occurrences(texts).map(([text, before]) =>
    createHash("sha256").update(`${seed} ${before} ${text}`).digest().readBigUInt64LE(0),
  );
}

/** Each text with the number of equal ones before it. */
function occurrences(texts: readonly string[]): (readonly [text: string, before: number])[] {
  const seen = new Map<string, number>();
  return texts.map((text) => {
    const before = seen.get(text) ?? 0;
    seen.set(text, before + 1);
    return [text, before] as const;
  });
}
