import {
  type Adapter,
  type AnswerState,
  applyNoise,
  type Base,
  cover,
  customNoise,
  grownAnswer,
  lad,
  lladaBudget,
  lladaStep,
  maskedAnswer,
  maskOnly,
  noNoise,
  type PolicyStep,
  type PreparedExample,
  type RemaskPolicy,
  type Runtime,
  refineStep,
  remaskStep,
  type SampleOptions,
  type TrainingOptions,
  type TrainingStep,
  targeted,
  trainingLoop,
  uniform,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adapterFiles,
  collected,
  denoised,
  EXAMPLES,
  type Round,
  scratchFolder,
  startRuntime,
  untimed,
} from "./support/stub.js";

const scratch = scratchFolder();
const window = { windowTokens: 48 };
const fast = { ...window, batchSize: 4, warmupSteps: 1, learningRate: 0.01, seed: 3 };
const question = { messages: "Say abc.", answerTokens: 12, seed: 5, temperature: 0.8 };

let runtime: Runtime;
let base: Base;
let trained: Adapter;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
  trained = await fresh();
  await trained.train({ ...fast, data: EXAMPLES, steps: 12, learningRate: 0.1 }).result();
});

afterAll(() => runtime?.close());

/** An adapter that begins as every other one of these tests. */
function fresh(): Promise<Adapter> {
  return base.createAdapter({ rank: 3, targets: ["q_proj", "v_proj", "down_proj"], seed: 7 });
}

describe("a training run and the same loop over the primitives", () => {
  const corruptedOnly = { supervise: "corrupted-answer-tokens", weighting: "inverse-time" } as const;
  const noises: [string, Partial<TrainingOptions>][] = [
    ["lad noise", { noise: lad() }],
    ["mask-only noise, 1/t weights", { noise: maskOnly(), loss: corruptedOnly }],
    ["cover noise, no tail", { noise: cover({ tailNoise: false }), loss: { tail: false } }],
    ["uniform noise, answers only", { noise: uniform(), loss: "all-answer-tokens" }],
    ["no noise", { noise: noNoise() }],
    ["prompts that attend to themselves alone", { attention: "prefix" }],
    [
      "prompts of the causal base, checkpointed gradients",
      { attention: "causal-prefix", loss: "all-answer-tokens", gradientCheckpointing: true },
    ],
  ];
  const cases = noises.flatMap(([name, options]) =>
    (["adamw", "muon"] as const).map((optimizer) => [name, optimizer, options] as const),
  );

  it.each(cases)("come to the same numbers and weights: %s, %s", async (_, optimizer, options) => {
    const training: TrainingOptions = {
      ...fast,
      ...options,
      optimizer,
      data: EXAMPLES,
      steps: 4,
      microBatchTokens: 100,
      validation: { data: EXAMPLES, everySteps: 2, maxExamples: 3 },
    };
    await using onWorker = await fresh();
    await using here = await fresh();
    const run = await collected(onWorker.train(training));
    expect(untimed(run)).toEqual(untimed(await collected(trainingLoop(here, training))));
    expect(run.filter(({ type }) => type === "step")).toHaveLength(4);
    expect(await adapterFiles(onWorker, scratch)).toEqual(await adapterFiles(here, scratch));
  });
});

it("a training run with dropout is the same loop, too", async () => {
  const options = { rank: 3, dropout: 0.3, seed: 7 };
  const training: TrainingOptions = { ...fast, data: EXAMPLES, steps: 3, microBatchTokens: 100 };
  await using onWorker = await base.createAdapter(options);
  await using here = await base.createAdapter(options);
  const run = await collected(onWorker.train(training));
  expect(untimed(run)).toEqual(untimed(await collected(trainingLoop(here, training))));
  expect(await adapterFiles(onWorker, scratch)).toEqual(await adapterFiles(here, scratch));
});

it("a loop's step of more sequences than a call holds adds up its calls", async () => {
  const oneToken = customNoise((example, { epoch, maskTokenId }) => {
    const first = epoch % 10 === 0 ? example.answer.indexOf(1) : -1;
    return { ids: example.ids.map((id, position) => (position === first ? maskTokenId : id)) };
  });
  const loss = { supervise: "corrupted-answer-tokens" } as const;
  const training = {
    data: EXAMPLES,
    ...window,
    noise: oneToken,
    loss,
    batchSize: 4200,
    steps: 1,
    warmupSteps: 0,
  };
  await using adapter = await fresh();
  const [, step] = await collected(trainingLoop(adapter, training));
  expect(step).toMatchObject({
    type: "step",
    report: { tokens: 4200 * window.windowTokens, supervisedTokens: 420 },
  });
  const { report } = step as TrainingStep;
  expect(report.loss).toBeCloseTo(report.ce, 4); // each example that counts has one token that does
});

it("a gradient of a data set's rows is that of the same sequences made here", async () => {
  const noise = lad({ maskProbability: 1 });
  const loss = { supervise: "all-answer-tokens", tail: true, weighting: "uniform" } as const;
  const rows = [4, 0, 7];
  const all = await collected(base.examples(EXAMPLES, window));
  const clean = rows.map((row) => all[row] as PreparedExample);
  const { maskTokenId, vocabSize } = base.info;
  const shown = clean.map((example) =>
    applyNoise(example, noise, { seed: 9n, epoch: 2, maskTokenId, vocabSize }),
  );
  await using ofRows = await fresh();
  await using ofSequences = await fresh();
  const drawn = await ofRows.forwardBackward({
    data: EXAMPLES,
    ...window,
    rows,
    noise,
    loss,
    seed: 9,
    epoch: 2,
  });
  expect(drawn).toEqual(await ofSequences.forwardBackward({ sequences: targeted(clean, shown, loss) }));
  const step = { learningRate: 0.01 };
  expect(await ofRows.optimStep(step)).toEqual(await ofSequences.optimStep(step));
  expect(await adapterFiles(ofRows, scratch)).toEqual(await adapterFiles(ofSequences, scratch));
});

describe("a sampling run and the same loop over predict", () => {
  const policies: [string, Partial<SampleOptions>][] = [
    ["positions at random", {}],
    ["positions in clusters, linear schedule", { positions: "clustered", schedule: "linear" }],
    ["positions by confidence", { positions: "confidence" }],
    ["editable retention", { retention: "editable", sharpness: 1 }],
    ["locked retention", { retention: "locked", sharpness: 1, positions: "confidence" }],
    ["a canvas that grows", { growTokens: 3 }],
    [
      "top-k, top-p, filtered confidence, less EOS",
      { topK: 40, topP: 0.9, confidence: "filtered", eosBias: -2 },
    ],
    ["the most probable tokens", { temperature: 0 }],
    ["a prompt that attends to itself alone", { attention: "prefix" }],
    ["a prompt of the causal base", { attention: "causal-prefix" }],
  ];

  it.each(policies)("give the same tokens: remask, %s", async (_, options) => {
    const { growTokens = 0, ...settings } = { ...question, iterations: 8, ...options };
    const run = await denoised(trained.sample({ ...settings, growTokens, mode: "remask" }));
    const policy = remaskPolicy(options);
    const loop = await loopOf(settings, growTokens, (state, prediction) =>
      remaskStep(state, prediction, policy),
    );
    expect(run.rounds).toEqual(loop.rounds);
    expect(run.answer).toEqual(loop.answer);
  });

  it("give the same tokens: refine", async () => {
    const settings = { ...question, iterations: 6 };
    const run = await denoised(trained.sample({ ...settings, mode: "refine" }));
    const loop = await loopOf(settings, 0, refineStep);
    expect(run.rounds.map(({ ids }) => ids)).toEqual(loop.rounds.map(({ ids }) => ids));
    expect(run.answer).toEqual(loop.answer);
  });

  it.each([
    ["one block", { blockTokens: 0, guidanceScale: 0, eosConfidenceOff: false }],
    ["blocks and guidance", { blockTokens: 5, guidanceScale: 1.5, eosConfidenceOff: true }],
  ])("give the same tokens: llada, %s", async (_, llada) => {
    const { ids: prompt } = await base.render(question.messages);
    const { answerTokens, seed, temperature } = question;
    const run = trained.sample({ ...question, ...llada, mode: "llada", iterations: 6 });
    const budget = lladaBudget(answerTokens, llada.blockTokens, 6);
    const policy = { budget, ...llada, stopTokenIds: base.stopTokenIds };
    const rounds: Round[] = [];
    let state = maskedAnswer(answerTokens, base.maskTokenId);
    for (const iteration of budget.keys()) {
      const canvases = [{ ids: [...prompt, ...state.ids], answerStart: prompt.length, seed }];
      const { guidanceScale } = llada;
      const draw = { temperature, drawMethod: "gumbel", iteration, guidanceScale } as const;
      const [prediction] = await trained.predict({ canvases, ...draw });
      if (prediction === undefined) throw new Error("one canvas has one prediction");
      const { ids, confidences } = prediction;
      const made = { ids, confidences, iteration, iterations: budget.length, seed: BigInt(seed) };
      const step = lladaStep(state, made, policy);
      state = step.next;
      rounds.push({ ids: step.sampled.ids, masked: tally(state.masked) });
    }
    const onWorker = await denoised(run);
    expect(onWorker.rounds).toEqual(rounds);
    expect(onWorker.answer.canvasIds).toEqual(state.ids);
  });

  it("give the same tokens: ar", async () => {
    const { ids: prompt } = await base.render(question.messages);
    const { canvasIds } = await base.sample({ ids: [...prompt], answerTokens: 8, mode: "ar" }).result();
    const answer: number[] = [];
    while (answer.length < 8 && !base.stopTokenIds.includes(answer.at(-1) ?? -1)) {
      const ids = [...prompt, ...answer];
      const canvases = [{ ids, answerStart: ids.length - 1 }];
      const [next] = await base.predict({ canvases, attention: "causal" });
      answer.push(next?.ids[0] ?? -1);
    }
    expect(canvasIds).toEqual(answer);
  });

  function remaskPolicy(options: Partial<SampleOptions>): RemaskPolicy {
    return {
      schedule: options.schedule ?? "exponential",
      sharpness: options.sharpness ?? 5,
      noiseStart: 1,
      positions: options.positions ?? "random",
      minGuidanceWeight: 0.1,
      clusterSpan: 4,
      retention: options.retention ?? "none",
      maskTokenId: base.maskTokenId,
      stopTokenIds: base.stopTokenIds,
    };
  }

  /** The loop of the README's sampler of one's own. */
  async function loopOf(
    { topK, topP, confidence, eosBias, attention, ...given }: SampleOptions,
    growTokens: number,
    stepOf: (state: AnswerState, prediction: Parameters<typeof refineStep>[1]) => PolicyStep,
  ) {
    const { messages, answerTokens = 64, seed, temperature, iterations } = given;
    const draw = { topK, topP, confidence, eosBias, attention, seed, temperature };
    const startTokens = growTokens || answerTokens;
    const canvas = trained.canvas({ messages, answerTokens, iterations, startTokens, ...draw });
    const rounds: Round[] = [];
    let state = maskedAnswer(startTokens, base.maskTokenId);
    while (!canvas.settled) {
      const { sampled, next } = stepOf(state, await canvas.predict());
      const more = Math.min(growTokens, answerTokens - next.ids.length);
      const isLast = canvas.iteration === iterations;
      state = isLast ? next : grownAnswer(next, more, base.maskTokenId);
      canvas.write(state);
      rounds.push({ ids: sampled.ids, masked: canvas.settled ? 0 : tally(state.masked) });
    }
    return { rounds, answer: await canvas.answer() };
  }
});

describe("sampling", () => {
  const many = { answerTokens: 9, iterations: 6, temperature: 1, earlyStop: false } as const;
  const canvases = Array.from({ length: 7 }, (_, i) => ({ messages: "Say abc.".repeat(1 + i), seed: i }));

  it("many canvases in one run gives each the answer that it gets alone", async () => {
    const together = await trained.sampleMany({ canvases, ...many }).result();
    for (const [index, canvas] of canvases.entries()) {
      const alone = await trained.sample({ ...canvas, ...many }).result();
      expect({ ...together[index], canvas: 0 }).toEqual(alone);
    }
  });

  it("is the same, and so is training, while the other goes on beside it", async () => {
    const training: TrainingOptions = { ...fast, data: EXAMPLES, steps: 25 };
    await using busy = await fresh();
    await using quiet = await fresh();
    const before = await trained.sampleMany({ canvases, ...many }).result();
    const run = collected(busy.train(training));
    const [during, again] = await Promise.all([
      trained.sampleMany({ canvases, ...many }).result(),
      trained.sampleMany({ canvases: canvases.slice(2), ...many }).result(),
    ]);
    expect(during).toEqual(before);
    expect(again.map(({ ids }) => ids)).toEqual(before.slice(2).map(({ ids }) => ids));
    expect(untimed(await run)).toEqual(untimed(await collected(quiet.train(training))));
    expect(await adapterFiles(busy, scratch)).toEqual(await adapterFiles(quiet, scratch));
  });

  it("goes by the weights of the moment when it starts, whatever is trained meanwhile", async () => {
    await using adapter = await fresh();
    await using snapshot = await adapter.snapshot();
    const before = await snapshot.sample(question).result();
    expect(await adapter.sample(question).result()).toEqual(before);
    await adapter.train({ ...fast, data: EXAMPLES, steps: 8, learningRate: 0.3 }).result();
    expect(await snapshot.sample(question).result()).toEqual(before);
    expect((await adapter.sample(question).result()).canvasIds).not.toEqual(before.canvasIds);
  });

  it("is the same from an adapter that was saved and loaded again", async () => {
    await trained.save(`${scratch}/peft`);
    await using loaded = await base.loadAdapter(`${scratch}/peft`);
    expect(await denoised(loaded.sample(question))).toEqual(await denoised(trained.sample(question)));
    expect(await adapterFiles(loaded, scratch)).toEqual(await adapterFiles(trained, scratch));
  });
});

describe("training that was interrupted", () => {
  it.each(["adamw", "muon"] as const)("goes on as if it had not been: %s", async (optimizer) => {
    const name = `interrupted-${optimizer}`;
    const training: TrainingOptions = { ...fast, batchSize: 16, data: EXAMPLES, optimizer, steps: 40 };
    await using whole = await fresh();
    const events = await collected(whole.train(training));

    await using broken = await fresh();
    const run = broken.train({ ...training, checkpoint: { name, everySteps: 3 } });
    for await (const { type } of run) if (type === "checkpoint") break;
    await expect(run.result()).rejects.toMatchObject({ code: "cancelled" });
    await broken.drop();

    await using resumed = await fresh();
    const rest = await collected(resumed.train({ ...training, checkpoint: { name, resume: true } }));
    const [started] = rest;
    if (started?.type !== "started") throw new Error("a run begins with the event started");
    expect(started.fromStep).toBeGreaterThan(0);
    expect(started.fromStep).toBeLessThan(40);
    const stepsOf = (all: typeof events) => untimed(all.filter(({ type }) => type === "step"));
    expect(stepsOf(rest)).toEqual(stepsOf(events).slice(started.fromStep));
    const files = await adapterFiles(whole, scratch);
    expect(await adapterFiles(resumed, scratch)).toEqual(files);

    await using cold = await fresh();
    await collected(cold.train({ ...training, steps: 40 - started.fromStep }));
    expect(await adapterFiles(cold, scratch)).not.toEqual(files);
  });
});

function tally(flags: readonly boolean[]): number {
  return flags.filter(Boolean).length;
}
