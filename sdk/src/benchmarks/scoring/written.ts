/** Judges what a model writes: by letter, by its last number, by its text. */
import { questionSeed } from "../../evaluation/questions.js";
import type { FrozenBase } from "../../frozen-base.js";
import type { Answer } from "../../results/sampling.js";
import type { ScoredBy } from "../benchmark.js";
import { chosenIn, letterOf, plain } from "../choices.js";
import type { BenchmarkItem } from "../items.js";
import type { RunSampling } from "../options.js";
import { lastNumber } from "./number.js";
import { promptRoom } from "./prompt-room.js";
import type { ItemResult, ScoredModel, Scorer } from "./scorer.js";

type WrittenBy = Exclude<ScoredBy, "likelihood">;

/**
 * Has a model write its answers under a policy: in a chat, or behind a plain text where the base has no chat template. Each item's draws
 * are keyed as those of `evaluate`.
 */
export function writtenScorer(
  model: ScoredModel,
  base: FrozenBase,
  by: WrittenBy,
  sampling: RunSampling,
): Scorer {
  const { asked, complete, seed } = sampling;
  const room = promptRoom(model, base, sampling);
  return {
    configuration: { by, seed, ...complete },
    async score(items, signal) {
      const prompts = await promptsOf(base, items, signal);
      const canvases = items.map(({ question, equalsBefore }, i) => {
        const ids = prompts[i] ?? [];
        return { ids: fitting(ids, room), seed: questionSeed(seed, ids, question.answer, equalsBefore) };
      });
      const answers = await model.sampleMany({ canvases, ...asked, frames: false, signal }).result();
      return items.map((item, i) => {
        const cutTokens = (prompts[i]?.length ?? 0) - (canvases[i]?.ids.length ?? 0);
        const result = judged(item, answers[i] as Answer, by, base);
        return { ...result, ...(cutTokens > 0 && { cutTokens }) };
      });
    },
  };
}

/** Each item's prompt as token ids. */
function promptsOf(
  base: FrozenBase,
  items: readonly BenchmarkItem[],
  signal: AbortSignal | undefined,
): Promise<(readonly number[])[]> {
  if (base.info.hasChatTemplate) {
    return Promise.all(items.map(async ({ messages }) => (await base.render(messages, { signal })).ids));
  }
  const texts = items.map(({ writtenPrompt }) => writtenPrompt);
  return base.encodeAll(texts, { addSpecial: true, signal });
}

/** Without the prompt's beginning, as far as there is no room for it. Where there is none at all, the worker says why. */
function fitting(ids: readonly number[], room: number): readonly number[] {
  return room > 0 ? ids.slice(-room) : ids;
}

function judged(item: BenchmarkItem, answer: Answer, by: WrittenBy, base: FrozenBase): ItemResult {
  const { text, iterations, ids } = answer;
  const told = base.info.hasChatTemplate ? text : firstParagraph(text);
  return {
    id: item.id,
    ...READERS[by](told, item),
    answer: text,
    forwards: iterations,
    tokens: ids.length,
  };
}

/** Where a model goes on with a text, a blank line ends the answer, as it ends those of the shots. */
function firstParagraph(text: string): string {
  return text.trimStart().split(/\n[^\S\n]*\n/, 1)[0] ?? "";
}

type Reading = Required<Pick<ItemResult, "correct" | "read">>;

const READERS: Readonly<Record<WrittenBy, (text: string, item: BenchmarkItem) => Reading>> = {
  letter(text, { question: { choices, written, right } }) {
    const chosen = chosenIn(text, written.length > 0 ? written : choices) ?? chosenIn(text, choices);
    return { correct: chosen === right, read: chosen === undefined ? null : letterOf(chosen) };
  },
  number(text, { question: { answer } }) {
    const read = lastNumber(text);
    return { correct: read !== undefined && read === lastNumber(answer), read: read ?? null };
  },
  text(text, { question: { answer } }) {
    const read = plain(text);
    return { correct: read === plain(answer), read: read === "" ? null : read };
  },
};
