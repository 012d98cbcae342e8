/** Causal likelihoods of items of 100 tokens, against lm-eval with transformers in the batch size that is its best. */

import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { tokenIds } from "../harness/inputs.js";
import { compared, number, type Outcome, type Unit } from "../harness/result.js";
import { sameLosses } from "../harness/same.js";
import { type Round, takeTurns } from "../harness/turns.js";

const ITEMS = 1000;
const ITEM_TOKENS = 100;
const CHOICES = 4;
/** Of the continuations, one after another. */
const CONTINUATIONS = [4, 8, 16, 32];
const WARMUPS = 1;

type Item = readonly [prompt: readonly number[], continuation: readonly number[]];

export const likelihood: Figure = {
  about: "causal likelihoods of prompts of their own, and of four choices a prompt, against lm-eval",
  base: "smollm2-135m",
  takes: ["profile", "questions"],

  async measure(bench: Bench): Promise<Outcome> {
    const { profile, runs, questions = ITEMS } = bench.options;
    const ours = bench.ours("ours", "likelihoods.scoring");
    const facts = await ours.load<BaseFacts>(bench.shared);
    const reference = bench.reference("lm_eval_likelihood");
    await reference.load({ ...bench.shared, folder: facts.folder, eosTokenId: facts.eosTokenId });
    const sides = { ours, reference };
    const measured = async (itemsOf: (subject: number) => Item[]) => {
      const turns = Array.from({ length: WARMUPS + runs }, (_, turn) => itemsOf(turn * questions));
      for (const side of [ours, reference]) await side.prepare({ turns });
      return takeTurns(sides, { runs, warmups: WARMUPS, check: sameLikelihoods, say: bench.say });
    };
    const alone = await measured((subject) => apart(questions, subject, facts));
    const choices = await measured((subject) => ofChoices(questions, subject, facts));
    if (profile !== undefined) await ours.profile(profile);
    const unit: Unit = { name: "items/s", better: "higher", of: ({ seconds }) => questions / seconds };
    const result = compared(sides, alone, unit);
    const shared = compared(sides, choices, unit);
    return {
      result: {
        ...result,
        ours: { ...result.ours, choices: shared.ours },
        reference: result.reference && { ...result.reference, choices: shared.reference },
        runs: result.runs.map((each, index) => ({ apart: each, choices: shared.runs[index] })),
        conditions: await conditionsOf(bench, facts, {
          items: questions,
          itemTokens: ITEM_TOKENS,
          continuations: CONTINUATIONS,
          choices: CHOICES,
          choicesRatio: shared.ratio,
          batchSizes: { apart: batchSizeOf(alone), choices: batchSizeOf(choices) },
          warmups: WARMUPS,
          reference: "lm-eval, transformers",
        }),
      },
      notes: [`${CHOICES} choices a prompt: ratio ${number(shared.ratio ?? Number.NaN)}`],
    };
  },
};

/** Items that have nothing in common. */
function apart(count: number, subject: number, facts: BaseFacts): Item[] {
  return Array.from({ length: count }, (_, i) => {
    const continuation = CONTINUATIONS[i % CONTINUATIONS.length] as number;
    const ids = tokenIds(ITEM_TOKENS, subject + i, facts);
    return [ids.slice(0, ITEM_TOKENS - continuation), ids.slice(ITEM_TOKENS - continuation)];
  });
}

/** Four choices for each prompt, which together with the longest has as many tokens. */
function ofChoices(count: number, subject: number, facts: BaseFacts): Item[] {
  const longest = Math.max(...CONTINUATIONS);
  return Array.from({ length: count }, (_, i) => {
    const prompt = tokenIds(ITEM_TOKENS - longest, subject + Math.floor(i / CHOICES) * CHOICES, facts);
    const length = CONTINUATIONS[i % CHOICES] as number;
    return [prompt, tokenIds(ITEM_TOKENS, subject + i, facts).slice(-length)];
  });
}

function sameLikelihoods({ ours, reference }: Round): void {
  if (reference !== undefined) sameLosses(ours.losses, reference.losses);
}

function batchSizeOf(rounds: readonly Round[]): number | undefined {
  return rounds[0]?.reference?.batchSize;
}
