/**
 * One training step: 8 windows of 256 tokens, LoRA of rank 64 on q_proj and v_proj, `lad` noise, the loss of all tokens.
 *
 * Against lad-generic, which gets the very ids that the worker corrupts for itself, the same adapter and the same settings.
 * In another attention mode: against our own `full`, prompts of 192 tokens and answers of 64, the loss of the answers.
 */
import { invalidOption } from "../../sdk/src/errors.js";
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import { type Figure, LAD_GENERIC } from "../harness/figure.js";
import { asJson, corrupted, SEED, windowsOfTurns } from "../harness/inputs.js";
import type { Attention } from "../harness/options.js";
import { compared, number, type Outcome, type Unit } from "../harness/result.js";
import { sameTraining } from "../harness/same.js";
import type { Side } from "../harness/side.js";
import { median } from "../harness/statistics.js";
import { type Round, type Sides, takeTurns } from "../harness/turns.js";

const RANK = 64;
const COUNT = 8;
const SHAPE = { full: { prompt: 64, answer: 160, tail: 32 }, cached: { prompt: 192, answer: 64, tail: 0 } };
const WINDOW = 256;
/** At a rate of 0 a step costs the same, and both sides have the same weights however many they have taken. */
const SETTINGS = { learningRate: 0, maxGradientNorm: 0.5, weightDecay: 0.01 };
const WARMUPS = 2; // a process's first steps pay for fresh memory

const UNIT: Unit = {
  name: "tokens/s",
  better: "higher",
  of: ({ tokens = 0, seconds }) => tokens / seconds,
};

export const trainingStep: Figure = {
  about: "one training step of 8 × 256 tokens, against RuurdKuiper/lad-generic",
  base: "smollm2-135m",
  takes: ["profile", "device", "attention", "allocator", "compile"],
  against: LAD_GENERIC,

  async measure(bench: Bench): Promise<Outcome> {
    const { attention, profile, runs } = bench.options;
    const { side: ours, facts } = await trained(bench, "ours", attention);
    const reference = await referenceOf(bench, facts);
    const roofline = attention === "full" ? await matmuls(bench, facts) : undefined;
    const sides: Sides = {
      ours,
      ...(reference && { reference: reference.side }),
      ...(roofline && { roofline: roofline.side }),
    };
    const check = attention === "full" ? sameTraining(facts.dtype) : () => {};
    const rounds = await takeTurns(sides, { runs, warmups: WARMUPS, check, say: bench.say });
    if (profile !== undefined) await ours.profile(profile);
    const result = compared(sides, rounds, UNIT);
    const reached = roofline && reachedOf(rounds, roofline.parameters);
    const conditions = await conditionsOf(bench, facts, {
      rank: RANK,
      windows: COUNT,
      windowTokens: WINDOW,
      ...(attention === "full" ? SHAPE.full : SHAPE.cached),
      ...SETTINGS,
      warmups: WARMUPS,
      reference: reference?.name,
    });
    return {
      result: { ...result, ours: { ...result.ours, ...(reached && { roofline: reached }) }, conditions },
      notes: [...(reached ? [rooflineNote(reached)] : []), ...memoryNote(result)],
    };
  },
};

/** Our training side, loaded, with its inputs. */
async function trained(bench: Bench, role: "ours" | "reference", attention: Attention) {
  const side = bench.ours(role, "training");
  const facts = await side.load<BaseFacts>({ ...bench.shared, ranks: [RANK] });
  const cached = bench.options.attention !== "full";
  const turns = windowsOfTurns(turnsOf(bench), COUNT, cached ? SHAPE.cached : SHAPE.full, facts);
  await side.prepare({
    turns: turns.map((examples) => [examples.map(asJson)]),
    supervise: cached ? "all-answer-tokens" : "all-tokens",
    window: WINDOW,
    steps: 1,
    learningRate: SETTINGS.learningRate,
    seed: SEED,
    attention,
  });
  return { side, facts };
}

/** lad-generic, or in another attention mode our own `full`; undefined where ours runs alone. */
async function referenceOf(
  bench: Bench,
  facts: BaseFacts,
): Promise<{ side: Side; name: string } | undefined> {
  const { against, attention } = bench.options;
  if (attention !== "full") {
    if (against === undefined) {
      return { side: (await trained(bench, "reference", "full")).side, name: "ours, full" };
    }
    const problem = `with attention ${attention} the reference is our own full`;
    throw invalidOption("against", against, problem, "Leave out one of the two.");
  }
  if (against === undefined) return undefined;
  const side = bench.reference("lad_generic_training");
  const [adapter] = facts.adapters ?? [];
  await side.load({ ...bench.shared, against, folder: facts.folder, adapter });
  const turns = windowsOfTurns(turnsOf(bench), COUNT, SHAPE.full, facts);
  await side.prepare({
    turns: turns.map((examples) => ({
      inputs: examples.map((example) => corrupted(example, facts)),
      labels: examples.map(({ ids }) => ids),
      tails: examples.map(({ tail }) => Array.from(tail)),
    })),
    ...SETTINGS,
  });
  return { side, name: "lad-generic" };
}

/** The model's matmuls alone, over as many rows. */
async function matmuls(bench: Bench, { folder }: BaseFacts): Promise<{ side: Side; parameters: number }> {
  const side = bench.ours("roofline", "matmuls");
  const { matmulParameters } = await side.load<{ matmulParameters: number }>({ ...bench.shared, folder });
  await side.prepare({ rows: COUNT * WINDOW });
  return { side, parameters: matmulParameters };
}

function turnsOf({ options }: Bench): number {
  return WARMUPS + options.runs;
}

/** The rate of the same matmuls alone, and the share of it that the step reached: 4 FLOP a parameter and token. */
function reachedOf(rounds: readonly Round[], parameters: number) {
  const perRound = rounds.flatMap(({ ours, roofline }) => {
    if (roofline?.flop === undefined) return [];
    const rate = roofline.flop / roofline.seconds;
    return [{ rate, share: (4 * parameters * UNIT.of(ours)) / rate }];
  });
  return {
    gflopPerSecond: median(perRound.map(({ rate }) => rate)) / 1e9,
    share: median(perRound.map(({ share }) => share)),
    flopPerToken: 4 * parameters,
  };
}

function rooflineNote({ gflopPerSecond, share }: ReturnType<typeof reachedOf>): string {
  return `the same matmuls alone: ${number(gflopPerSecond)} GFLOP/s, of which ours reaches ${number(share)}`;
}

function memoryNote({ ours, reference }: ReturnType<typeof compared>): string[] {
  if (ours.peakBytes === undefined || reference?.peakBytes === undefined) return [];
  return [`peak memory: ${number(ours.peakBytes / reference.peakBytes)} of the reference's`];
}
