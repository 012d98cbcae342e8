/** Requests answered by our `refine` and by lad-generic's denoising, from the same prompts with the same adapter. */

import { refine } from "../../sdk/src/method/policies/registered.js";
import type { BaseFacts, Bench } from "./bench.js";
import { conditionsOf } from "./conditions.js";
import { promptsOfTurns } from "./inputs.js";
import { compared, type Outcome, type Unit } from "./result.js";
import { agreement } from "./same.js";
import { samplingMessage } from "./sampling.js";
import type { Side } from "./side.js";
import { takeTurns } from "./turns.js";

const RANK = 64;
const PROMPT_TOKENS = 64;
const ANSWER_TOKENS = 64;
const WARMUPS = 1;

export interface Requests {
  readonly requests: number;
  readonly iterations: number;
  readonly unit: Unit;
}

/** In the attention mode `full` the answers are compared, in float32: the others are other models, and half precision has ties. */
export async function denoised(bench: Bench, { requests, iterations, unit }: Requests): Promise<Outcome> {
  const { against, attention, profile, runs } = bench.options;
  const ours = bench.ours("ours", "sampling");
  const facts = await ours.load<BaseFacts>({ ...bench.shared, rank: RANK });
  const inputs = {
    turns: promptsOfTurns(WARMUPS + runs, Array<number>(requests).fill(PROMPT_TOKENS), facts),
    answerTokens: ANSWER_TOKENS,
    iterations,
  };
  const policy = refine({ iterations, earlyStop: false });
  const spec = samplingMessage({ policy, answerTokens: ANSWER_TOKENS, attention, allowMask: true });
  await ours.prepare({ ...inputs, spec });
  const sides = { ours, ...(against === undefined ? {} : { reference: await loaded(bench, facts) }) };
  await sides.reference?.prepare(inputs);
  const rounds = await takeTurns(sides, { runs, warmups: WARMUPS, say: bench.say });
  if (profile !== undefined) await ours.profile(profile);
  const conditions = await conditionsOf(bench, facts, {
    rank: RANK,
    requests,
    promptTokens: PROMPT_TOKENS,
    answerTokens: ANSWER_TOKENS,
    iterations,
    policy: policy.kind,
    sameAnswers: attention === "full" && facts.dtype === "float32" ? agreement(rounds) : undefined,
    warmups: WARMUPS,
    reference: against === undefined ? undefined : "lad-generic, one request after another",
  });
  return { result: { ...compared(sides, rounds, unit), conditions }, notes: [] };
}

async function loaded(bench: Bench, { adapters = [], maskToken }: BaseFacts): Promise<Side> {
  const side = bench.reference("lad_generic_sampling");
  const { against } = bench.options;
  await side.load({ ...bench.shared, against, adapter: adapters[0], maskToken });
  return side;
}
