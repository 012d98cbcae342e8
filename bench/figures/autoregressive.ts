/** Greedy generation of 64 tokens for each of 8 prompts with a KV cache, against `generate` of transformers in one batch. */

import { ar } from "../../sdk/src/method/policies/registered.js";
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { promptsOfTurns } from "../harness/inputs.js";
import { compared, type Outcome, type Unit } from "../harness/result.js";
import { agreement } from "../harness/same.js";
import { samplingMessage } from "../harness/sampling.js";
import { takeTurns } from "../harness/turns.js";

const LENGTHS = [36, 40, 44, 48, 52, 56, 60, 64];
const ANSWER_TOKENS = 64;
const WARMUPS = 1;

const UNIT: Unit = {
  name: "tokens/s",
  better: "higher",
  of: ({ seconds }) => (LENGTHS.length * ANSWER_TOKENS) / seconds,
};

export const autoregressive: Figure = {
  about: "greedy generation for eight prompts, against transformers",
  base: "smollm2-135m",
  takes: ["profile"],

  async measure(bench: Bench): Promise<Outcome> {
    const { profile, runs } = bench.options;
    const ours = bench.ours("ours", "sampling");
    const facts = await ours.load<BaseFacts>({ ...bench.shared, rank: 0 });
    const { folder, eosTokenId } = facts;
    const reference = bench.reference("transformers_generate");
    await reference.load({ ...bench.shared, folder, eosTokenId });
    const inputs = { turns: promptsOfTurns(WARMUPS + runs, LENGTHS, facts), answerTokens: ANSWER_TOKENS };
    const eosBias = Number.NEGATIVE_INFINITY;
    const spec = samplingMessage({ policy: ar(), answerTokens: ANSWER_TOKENS, eosBias });
    await ours.prepare({ ...inputs, spec });
    await reference.prepare(inputs);
    const sides = { ours, reference };
    const rounds = await takeTurns(sides, { runs, warmups: WARMUPS, say: bench.say });
    if (profile !== undefined) await ours.profile(profile);
    const conditions = await conditionsOf(bench, facts, {
      promptTokens: LENGTHS,
      answerTokens: ANSWER_TOKENS,
      policy: "ar",
      sameAnswers: agreement(rounds),
      warmups: WARMUPS,
      reference: "transformers, generate",
    });
    return { result: { ...compared(sides, rounds, UNIT), conditions }, notes: [] };
  },
};
