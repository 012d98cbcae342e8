/** LLaDA's fixed budget on four prompts of 64 tokens, four of the 64 answer tokens a step, against dllm's own sampler. */

import { llada as budget } from "../../sdk/src/method/policies/registered.js";
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import { DLLM, type Figure } from "../harness/figure.js";
import { promptsOfTurns } from "../harness/inputs.js";
import { compared, type Outcome, type Unit } from "../harness/result.js";
import { agreement } from "../harness/same.js";
import { samplingMessage } from "../harness/sampling.js";
import type { Side } from "../harness/side.js";
import { type Round, takeTurns } from "../harness/turns.js";

const LENGTHS = [64, 64, 64, 64];
const ANSWER_TOKENS = 64;
const ITERATIONS = 16;
const WARMUPS = 1;

const UNIT: Unit = {
  name: "answers/s",
  better: "higher",
  of: ({ seconds }) => LENGTHS.length / seconds,
};

export const llada: Figure = {
  about: "LLaDA's fixed budget, against ZHZisZZ/dllm's sampler",
  base: "smollm2-135m",
  takes: ["profile"],
  against: DLLM,

  async measure(bench: Bench): Promise<Outcome> {
    const { against, attention, profile, runs } = bench.options;
    const ours = bench.ours("ours", "sampling");
    const facts = await ours.load<BaseFacts>({ ...bench.shared, rank: 0 });
    const inputs = {
      turns: promptsOfTurns(WARMUPS + runs, LENGTHS, facts),
      answerTokens: ANSWER_TOKENS,
      iterations: ITERATIONS,
    };
    const policy = budget({ iterations: ITERATIONS });
    const spec = samplingMessage({ policy, answerTokens: ANSWER_TOKENS, attention, allowMask: true });
    await ours.prepare({ ...inputs, spec });
    const sides = { ours, ...(against === undefined ? {} : { reference: await loaded(bench, facts) }) };
    await sides.reference?.prepare(inputs);
    const rounds = await takeTurns(sides, { runs, warmups: WARMUPS, say: bench.say });
    if (profile !== undefined) await ours.profile(profile);
    const conditions = await conditionsOf(bench, facts, {
      requests: LENGTHS.length,
      promptTokens: LENGTHS[0],
      answerTokens: ANSWER_TOKENS,
      iterations: ITERATIONS,
      policy: policy.kind,
      sameAnswers: agreement(rounds.map((round) => withoutMasks(round, facts.maskTokenId))),
      warmups: WARMUPS,
      reference: against === undefined ? undefined : "dllm, MDLMSampler",
    });
    return { result: { ...compared(sides, rounds, UNIT), conditions }, notes: [] };
  },
};

/**
 * A round without the answers in which ours has predicted the mask itself. For ours such a position is settled; dllm, which looks
 * for masks by their id, takes it for open, and the answers differ from there on, though not the number of forwards.
 */
function withoutMasks({ ours, reference }: Round, maskTokenId: number): Round {
  const isCompared = (_: unknown, index: number) => !ours.answers?.[index]?.includes(maskTokenId);
  return {
    ours: { ...ours, answers: ours.answers?.filter(isCompared) },
    ...(reference && { reference: { ...reference, answers: reference.answers?.filter(isCompared) } }),
  };
}

async function loaded(bench: Bench, { folder, maskTokenId, eosTokenId }: BaseFacts): Promise<Side> {
  const side = bench.reference("dllm_sampling");
  const { against } = bench.options;
  await side.load({ ...bench.shared, against, folder, maskTokenId, eosTokenId });
  return side;
}
