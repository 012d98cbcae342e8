/**
 * What SDK, gRPC and engine add to a training step and to a denoising iteration: the same runs through a real worker, and by a
 * bare loop around the backend in one process.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { refine } from "../../sdk/src/method/policies/registered.js";
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { SEED, tokenIds } from "../harness/inputs.js";
import { compared, number, type Outcome, type Unit } from "../harness/result.js";
import { sameAnswers, sameTraining } from "../harness/same.js";
import { samplingMessage } from "../harness/sampling.js";
import { median } from "../harness/statistics.js";
import { type Round, takeTurns } from "../harness/turns.js";
import type { Inputs, LoadRequest } from "../sides/sdk-runs.js";

const SMALL_PARAMETERS = 10_000_000;
const COUNTS = {
  small: { steps: 50, iterations: 64 },
  large: { steps: 4, iterations: 8 },
};
const ADAPTER = { rank: 16, targets: ["q_proj", "v_proj"], seed: SEED };
const BATCH = { window: 60, batchSize: 8, learningRate: 1e-5 };
const EXAMPLES = 16;
const PROMPT_TOKENS = 32;
const ANSWER_TOKENS = 32;
const WARMUPS = 1;

export const overhead: Figure = {
  about: "what SDK, gRPC and engine add, against a bare loop around the backend",
  base: "tiny",
  takes: [],

  async measure(bench: Bench): Promise<Outcome> {
    const ours = bench.sdk("sdk-runs.ts");
    const reference = bench.ours("reference", "bare_loop");
    const request: LoadRequest = { ...bench.shared, ...ADAPTER };
    const facts = await ours.load<BaseFacts>(request);
    await reference.load(request);
    const counts = facts.parameters < SMALL_PARAMETERS ? COUNTS.small : COUNTS.large;
    const inputs = await inputsOf(bench, facts, counts);
    const sides = { ours, reference };
    const policy = refine({ iterations: inputs.iterations, earlyStop: false });
    const spec = samplingMessage({ policy, answerTokens: inputs.answerTokens });
    for (const side of [ours, reference]) await side.prepare({ ...inputs, spec });
    const turns = { runs: bench.options.runs, warmups: WARMUPS, say: bench.say };
    const steps = { name: "ms/step", each: counts.steps };
    const trained = await takeTurns(sides, {
      ...turns,
      request: { what: "training" },
      check: sameTraining(),
    });
    const iterations = { name: "ms/iteration", each: counts.iterations };
    const sampled = await takeTurns(sides, { ...turns, request: { what: "sampling" }, check: sameAnswers });
    const result = compared(sides, trained, milliseconds(steps));
    const sampling = compared(sides, sampled, milliseconds(iterations));
    const added = { training: addedBy(trained, steps.each), sampling: addedBy(sampled, iterations.each) };
    return {
      result: {
        ...result,
        ours: { ...result.ours, added, sampling: sampling.ours },
        reference: result.reference && { ...result.reference, sampling: sampling.reference },
        runs: result.runs.map((training, index) => ({ training, sampling: sampling.runs[index] })),
        conditions: await conditionsOf(bench, facts, {
          ...ADAPTER,
          ...BATCH,
          ...counts,
          promptTokens: PROMPT_TOKENS,
          answerTokens: ANSWER_TOKENS,
          warmups: WARMUPS,
          reference: "ours, the backend alone",
        }),
      },
      notes: [noteOf("a training step", added.training), noteOf("a denoising iteration", added.sampling)],
    };
  },
};

/** Data of a few short examples, and a prompt of ids. */
export async function inputsOf(
  bench: Bench,
  facts: BaseFacts,
  counts: { readonly steps: number; readonly iterations: number },
): Promise<Inputs> {
  const data = join(bench.scratch, "examples.jsonl");
  const letters = "abcdefghijklmnop";
  const lines = Array.from({ length: EXAMPLES }, (_, row) => {
    const letter = letters[row % letters.length];
    return JSON.stringify({ instruction: `Say ${letter} twice.`, output: `${letter} ${letter}` });
  });
  await writeFile(data, `${lines.join("\n")}\n`);
  return {
    data,
    ...BATCH,
    ...counts,
    seed: SEED,
    prompt: tokenIds(PROMPT_TOKENS, 0, facts),
    answerTokens: ANSWER_TOKENS,
  };
}

/** One of several steps or iterations. */
function milliseconds({ name, each }: { name: string; each: number }): Unit {
  return { name, better: "lower", of: ({ seconds }) => (1000 * seconds) / each };
}

/** The median of what the rounds' own differences come to, for one step or iteration. */
function addedBy(rounds: readonly Round[], each: number): { milliseconds: number; share: number } {
  const differences = rounds.flatMap(({ ours, reference }) =>
    reference === undefined
      ? []
      : [{ seconds: ours.seconds - reference.seconds, share: ours.seconds / reference.seconds - 1 }],
  );
  return {
    milliseconds: (1000 * median(differences.map(({ seconds }) => seconds))) / each,
    share: median(differences.map(({ share }) => share)),
  };
}

function noteOf(what: string, { milliseconds, share }: ReturnType<typeof addedBy>): string {
  return `added to ${what}: ${number(milliseconds)} ms, ${number(100 * share)} %`;
}
