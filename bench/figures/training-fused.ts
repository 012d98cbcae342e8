/**
 * Four adapters of ranks 4, 16, 64 and 256 trained at once, each on a quarter of 8 × 256 tokens a step, against one adapter of
 * rank 64 on all of them, and against the same four one after another; and their memory against that of four processes with one
 * adapter each.
 */
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { asJson, SEED, windowsOfTurns } from "../harness/inputs.js";
import { compared, number, type Outcome, summary, type Unit } from "../harness/result.js";
import { lossTolerance, sameLosses } from "../harness/same.js";
import type { Measurement, Role, Side } from "../harness/side.js";
import { median } from "../harness/statistics.js";
import { type Round, takeTurns } from "../harness/turns.js";

const RANKS = [4, 16, 64, 256];
const RANK = 64;
const COUNT = 8;
const SHAPE = { prompt: 64, answer: 160, tail: 32 };
const WINDOW = 256;
const STEPS = 2;
const LEARNING_RATE = 1e-5;
const WARMUPS = 2;

const UNIT: Unit = {
  name: "tokens/s",
  better: "higher",
  of: ({ tokens = 0, seconds }) => tokens / seconds,
};

export const trainingFused: Figure = {
  about: "four adapters trained at once, against one on as many tokens",
  base: "smollm2-135m",
  takes: ["profile", "device"],

  async measure(bench: Bench): Promise<Outcome> {
    const { profile, runs } = bench.options;
    const quarter = COUNT / RANKS.length;
    const quarters = RANKS.map((_, index) => ({ from: index * quarter, to: (index + 1) * quarter }));
    const { side: ours, facts } = await trained(bench, "ours", RANKS, quarters);
    const { side: reference } = await trained(bench, "reference", [RANK], [{ from: 0, to: COUNT }]);
    const { side: alone } = await trained(
      bench,
      "alone",
      [RANK],
      quarters.slice(RANKS.indexOf(RANK)).slice(0, 1),
    );
    const { side: inTurn } = await trained(bench, "inTurn", RANKS, quarters);
    const turns = { runs, warmups: WARMUPS, check: asAlone(lossTolerance(facts.dtype)), say: bench.say };
    const rounds = await takeTurns({ ours, reference, alone, inTurn }, turns);
    if (profile !== undefined) await ours.profile(profile);
    const result = compared({ ours, reference }, rounds, UNIT);
    const { loadedBytes, peakBytes = 0 } = summary(alone, rounds, "alone", UNIT);
    const memory = {
      ofOneProcess: { loadedBytes, peakBytes },
      shareOfFour: (result.ours.peakBytes ?? 0) / (RANKS.length * peakBytes),
    };
    const gain = median(rounds.map((round) => UNIT.of(round.ours) / UNIT.of(round.inTurn as Measurement)));
    return {
      result: {
        ...result,
        ours: { ...result.ours, memory, inTurn: { ...summary(inTurn, rounds, "inTurn", UNIT), gain } },
        conditions: await conditionsOf(bench, facts, {
          ranks: RANKS,
          windows: COUNT,
          windowTokens: WINDOW,
          steps: STEPS,
          warmups: WARMUPS,
          reference: `ours, one adapter of rank ${RANK}`,
        }),
      },
      notes: [
        `at once ${number(gain)} times as fast as one adapter after another`,
        `peak memory: ${number(memory.shareOfFour)} of four processes with one adapter of rank ${RANK} each`,
      ],
    };
  },
};

async function trained(
  bench: Bench,
  role: Role,
  ranks: readonly number[],
  shares: readonly { from: number; to: number }[],
): Promise<{ side: Side; facts: BaseFacts }> {
  const side = bench.ours(role, "training");
  const facts = await side.load<BaseFacts>({ ...bench.shared, ranks });
  const turns = windowsOfTurns(WARMUPS + bench.options.runs, COUNT, SHAPE, facts);
  await side.prepare({
    turns: turns.map((examples) => shares.map(({ from, to }) => examples.slice(from, to).map(asJson))),
    supervise: "all-tokens",
    window: WINDOW,
    steps: STEPS,
    learningRate: LEARNING_RATE,
    seed: SEED,
    attention: "full",
    inTurn: role === "inTurn",
  });
  return { side, facts };
}

/** In company every adapter has the losses that it has alone. */
function asAlone(tolerance: number): (round: Round) => void {
  return ({ ours, alone, inTurn }) => {
    sameLosses(ours.losses ?? [], inTurn?.losses, tolerance);
    const inCompany = ours.losses?.[RANKS.indexOf(RANK)];
    sameLosses(inCompany === undefined ? [] : [inCompany], alone?.losses, tolerance);
  };
}
