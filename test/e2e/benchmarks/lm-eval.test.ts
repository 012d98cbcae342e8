import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Adapter,
  arcEasy,
  type Base,
  monteCarlo,
  pseudoLikelihood,
  type Runtime,
  refine,
  runBenchmark,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARC_ROWS, GSM_ROWS } from "../support/benchmark-rows.js";
import { ARC_TASK, type HarnessRun, QUESTION_TASK, runHarness, writeTask } from "../support/lm-eval.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const tasks = join(scratch, "tasks");
const tokenFile = join(scratch, "token");

let runtime: Runtime;
let base: Base;
let adapter: Adapter;

beforeAll(async () => {
  runtime = await startRuntime(join(scratch, "state"));
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 4, seed: 3 });
  const training = { data: EXAMPLES, windowTokens: 48, batchSize: 4, warmupSteps: 0 };
  await adapter.train({ ...training, learningRate: 0.05, steps: 6, attention: "prefix" }).result();
  writeFileSync(tokenFile, `${runtime.connection.token}\n`);
  writeTask(tasks, "own_arc", ARC_ROWS, ARC_TASK);
  writeTask(tasks, "own_questions", GSM_ROWS, QUESTION_TASK);
  writeTask(tasks, "own_repeats", GSM_ROWS.slice(3, 4), `${QUESTION_TASK}repeats: 3\n`);
});

afterAll(() => runtime?.close());

describe("lm-eval's own harness, through a worker with an adapter loaded", () => {
  let likelihoods: HarnessRun;
  let answers: HarnessRun;
  let chats: HarnessRun;
  let repeated: HarnessRun;
  let masked: readonly HarnessRun[];

  beforeAll(async () => {
    const worker = { address: runtime.address, token_file: tokenFile };
    const lad = { model: "lad", folder: tasks } as const;
    const own = { ...worker, adapter: adapter.id };
    const refined = { ...own, policy: "refine", iterations: 2, temperature: 1, seed: 4 };
    [likelihoods, answers, repeated, chats, ...masked] = (await runHarness(
      scratch,
      { ...lad, task: "own_arc", args: own },
      { ...lad, task: "own_questions", args: refined },
      { ...lad, task: "own_repeats", args: refined },
      { ...lad, task: "own_questions", args: { ...worker, base: "stub" }, chat: true, limit: 2 },
      { ...lad, task: "own_arc", args: { ...own, likelihood: "pseudo" }, limit: 5 },
      { ...lad, task: "own_arc", args: { ...own, likelihood: "monte-carlo", samples: 3, seed: 9 }, limit: 5 },
    )) as [HarnessRun, HarnessRun, HarnessRun, HarnessRun, ...HarnessRun[]];
  }, 600_000);

  it("finds those of ARC's questions right that we do, by the same likelihoods", async () => {
    const ours = await runBenchmark({ benchmark: arcEasy({ data: ARC_ROWS }), models: { adapter } });
    const { accuracy, accuracyByCharacters, accuracyByBytes, items } = ours.models.adapter;
    expect(likelihoods.results["acc,none"]).toBe(accuracy.value);
    expect(likelihoods.results["acc_norm,none"]).toBe(accuracyByCharacters?.value);
    expect(likelihoods.results["acc_bytes,none"]).toBe(accuracyByBytes?.value);
    expect(likelihoods.samples).toHaveLength(37);
    for (const [i, { acc, filtered_resps }] of likelihoods.samples.entries()) {
      expect(acc === 1).toBe(items[i]?.correct);
      expect(filtered_resps.map(([value]) => value)).toEqual(items[i]?.logLikelihoods);
    }
  });

  it("has the same pseudo and Monte-Carlo likelihoods, in the mode that the adapter was trained in", async () => {
    const benchmark = arcEasy({ data: ARC_ROWS.slice(0, 5) });
    const kinds = [pseudoLikelihood(), monteCarlo({ samples: 3, seed: 9 })];
    for (const [k, likelihood] of kinds.entries()) {
      const { models, autoregressive } = await runBenchmark({ benchmark, models: { adapter }, likelihood });
      const theirs = masked[k]?.samples.map(({ filtered_resps }) => filtered_resps.map(([value]) => value));
      expect(theirs).toEqual(models.adapter.items.map(({ logLikelihoods }) => logLikelihoods));
      expect(models.adapter.how).toEqual({ by: "likelihood", likelihood, attention: undefined });
      expect(autoregressive.how).toEqual({ by: "likelihood", likelihood: { kind: "causal" } });
    }
  });

  it("asks a snapshot, and drops it in the end", async () => {
    expect((await runtime.info()).adapters.map(({ id }) => id)).toEqual([adapter.id]);
  });

  it("has the answers that `evaluate` gives, up to the strings that end them", async () => {
    for (const [i, text] of (await evaluated(GSM_ROWS)).entries()) {
      expect(answers.samples[i]?.resps[0]?.[0]).toBe(text.split(/\n|zz/)[0]);
    }
  });

  it("draws another answer in each repeat of an item, whatever was filtered, and `evaluate` draws the same", async () => {
    const [row] = GSM_ROWS.slice(3);
    const three = await evaluated([row, row, row] as typeof GSM_ROWS);
    expect(repeated.samples[0]?.resps[0]).toEqual(three.map((text) => text.split(/\n|zz/)[0]));
    expect(new Set(three).size).toBe(3);
    expect(three[0]?.split(/\n|zz/)[0]).toBe(answers.samples[3]?.resps[0]?.[0]);
  });

  /** The adapter's answers to questions as the harness puts them, drawn as `evaluate` draws. */
  async function evaluated(rows: typeof GSM_ROWS): Promise<string[]> {
    const items = await Promise.all(
      rows.map(async ({ question }) => ({ ids: [...(await base.encode(question, { addSpecial: true }))] })),
    );
    const how = { policy: refine({ iterations: 2 }), temperature: 1, answerTokens: 6, seed: 4 };
    return (await adapter.evaluate({ items, ...how })).answers.map(({ text }) => text);
  }

  it("renders chats with the worker's template, and asks a base by itself", async () => {
    for (const [i, { question }] of GSM_ROWS.slice(0, 2).entries()) {
      const { text: prompt } = await base.render(question);
      expect(chats.samples[i]?.arguments[0]?.[0]).toBe(prompt);
      const { text } = await base.sample({ messages: question, policy: "ar", answerTokens: 6 }).result();
      expect(chats.samples[i]?.resps[0]?.[0]).toBe(text.split(/\n|zz/)[0]);
    }
  });
});
