/** Judges what a model writes: by letter, by its last number, by its text. */
import type { Model } from "../../model.js";
import type { Answer } from "../../results/sampling.js";
import type { ScoredBy } from "../benchmark.js";
import { chosenIn, letterOf, plain } from "../choices.js";
import type { BenchmarkItem } from "../items.js";
import type { RunSampling } from "../options.js";
import { lastNumber } from "./number.js";
import type { ItemResult, Scorer } from "./scorer.js";

type WrittenBy = Exclude<ScoredBy, "likelihood">;

/** Has a model write its answers under a policy. Each item's draws are keyed by the seed and its row. */
export function writtenScorer(model: Model, by: WrittenBy, sampling: RunSampling): Scorer {
  const { asked, complete, seed } = sampling;
  return {
    configuration: { by, seed, ...complete },
    async score(items, signal) {
      const canvases = items.map(({ messages, row }) => ({
        messages,
        seed: BigInt.asUintN(64, seed + BigInt(row)),
      }));
      const answers = await model.sampleMany({ canvases, ...asked, frames: false, signal }).result();
      return items.map((item, index) => judged(item, answers[index] as Answer, by));
    },
  };
}

function judged(item: BenchmarkItem, answer: Answer, by: WrittenBy): ItemResult {
  const { text, iterations, ids } = answer;
  return {
    id: item.id,
    ...READERS[by](text, item),
    answer: text,
    forwards: iterations,
    tokens: ids.length,
  };
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
