import { isDeepStrictEqual } from "node:util";
import {
  type Adapter,
  applyNoise,
  ar,
  type Base,
  batches,
  cover,
  customNoise,
  type Draw,
  editing,
  entropyBound,
  grownAnswer,
  isExhausted,
  lad,
  llada,
  maskedAnswer,
  maskOnly,
  newWatch,
  noNoise,
  ownDraft,
  type Policy,
  type Prediction,
  type PreparedExample,
  policyStep,
  type Runtime,
  refine,
  remask,
  remaskStep,
  revoking,
  type SampleOptions,
  type SettlingOptions,
  speculative,
  type TrainingOptions,
  type TrainingStep,
  targeted,
  threshold,
  trainingLoop,
  uniform,
  validationCe,
  watchValidation,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POLICY_KINDS, policyDefinition } from "../../sdk/src/method/policy.js";
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
    ["own drafts", { noise: "own-draft" }],
    [
      "own drafts from cover noise, all of them the most probable tokens, corrupted tokens",
      {
        noise: ownDraft({ share: 1, temperature: 0, noise: cover({ tailNoise: false }) }),
        loss: "corrupted-answer-tokens",
        attention: "prefix",
      },
    ],
    [
      "own drafts behind the causal base's past",
      {
        noise: ownDraft({ share: 0.7, temperature: 0.6, noise: "mask-only" }),
        attention: "causal-prefix",
        context: "random-split",
        loss: "all-answer-tokens",
      },
    ],
    ["own drafts in the last of the steps", { noise: ownDraft({ share: 1, noise: "cover", after: 0.5 }) }],
    ["prompts that attend to themselves alone", { attention: "prefix" }],
    [
      "prompts of the causal base, checkpointed gradients",
      { attention: "causal-prefix", loss: "all-answer-tokens", gradientCheckpointing: true },
    ],
    [
      "answers cut at random places",
      { attention: "causal-prefix", context: "random-split", loss: "all-answer-tokens" },
    ],
    [
      "answers cut at random places, into canvases of three tokens",
      { attention: "causal-prefix", context: "random-split", canvasTokens: 3, loss: "all-answer-tokens" },
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

it("a training that keeps its best and ends early is the same loop, and a plain one finds the same best", async () => {
  // A rate so high that the validation is lowest within the run.
  const rates = { learningRate: 0.2, warmupSteps: 0, decay: "constant" } as const;
  const validation = { data: EXAMPLES, everySteps: 4, maxExamples: 3, patience: 2 };
  const training = { ...fast, ...rates, data: EXAMPLES, steps: 30 };
  await using onWorker = await fresh();
  await using here = await fresh();
  const kept = (keepBest: string) => ({ ...training, validation: { ...validation, keepBest } });
  const run = await collected(onWorker.train(kept("best-there")));
  const loop = await collected(trainingLoop(here, kept("best-here")));
  const named = JSON.stringify(untimed(loop)).replaceAll("best-here", "best-there");
  expect(JSON.parse(named)).toEqual(JSON.parse(JSON.stringify(untimed(run))));
  const end = run.at(-1);
  if (end?.type !== "finished" || end.best === undefined) throw new Error("It has no best.");
  expect(end).toMatchObject({ stopped: "early", best: { checkpoint: "best-there" } });
  expect(end.best.step).toBeGreaterThan(0);
  expect(end.steps).toBe(end.best.step + 2 * 4);

  await using plain = await fresh();
  const { validation: _, ...unwatched } = { ...training, validation };
  let watch = newWatch;
  const look = async (step: number) => {
    const { report } = await plain.validate({ ...window, data: EXAMPLES, maxExamples: 3 });
    watch = watchValidation(watch, { step, ce: validationCe(report) });
  };
  await look(0);
  for await (const event of trainingLoop(plain, unwatched)) {
    if (event.type === "step" && event.step % 4 === 0) await look(event.step);
    if (isExhausted(watch, 2)) break;
  }
  expect([watch.bestStep, watch.bestCe]).toEqual([end.best.step, end.best.ce]);

  await using best = await base.loadCheckpoint("best-there");
  await using same = await base.loadCheckpoint("best-here");
  expect(await adapterFiles(best, scratch)).toEqual(await adapterFiles(same, scratch));
  await using restored = await fresh();
  const setBack = { ...kept("best-again").validation, restoreBest: true };
  const { best: again } = await restored.train({ ...training, validation: setBack }).result();
  expect(again).toEqual({ ...end.best, checkpoint: "best-again" });
  expect(await adapterFiles(restored, scratch)).toEqual(await adapterFiles(best, scratch));
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
  const loss = { supervise: "all-answer-tokens", tail: true, tailWeight: 1, weighting: "uniform" } as const;
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

it.each(["full", "causal-prefix"] as const)(
  "a run with the base's own targets is the gradients of its rows, step by step: %s",
  async (attention) => {
    const loss = { supervise: "all-answer-tokens", soft: { topK: 8, share: 0.75 } } as const;
    const training = { ...fast, data: EXAMPLES, noise: cover(), loss, attention, decay: "constant" } as const;
    await using onWorker = await fresh();
    await using here = await fresh();
    const run = await collected(onWorker.train({ ...training, steps: 2, warmupSteps: 0 }));
    const reports = run.flatMap((event) => (event.type === "step" ? [event.report] : []));
    const { kept } = await base.prepare(EXAMPLES, window);
    const steps = batches(BigInt(fast.seed), kept, fast.batchSize);
    for (const { loss: wanted, ce } of reports) {
      const draws: readonly Draw[] = steps.next().value ?? [];
      expect(new Set(draws.map(({ epoch }) => epoch)).size).toBe(1);
      const rows = draws.map(({ row }) => row);
      const { seed } = fast;
      const given = { data: EXAMPLES, ...window, rows, noise: cover(), loss, attention, seed };
      const gradient = await here.forwardBackward({ ...given, epoch: draws[0]?.epoch ?? 0 });
      expect(gradient.loss).toBe(wanted);
      expect(wanted).not.toBeCloseTo(ce, 3);
      await here.optimStep({ learningRate: fast.learningRate });
    }
    expect(await adapterFiles(onWorker, scratch)).toEqual(await adapterFiles(here, scratch));
  },
);

describe("a sampling run and the same loop over predict", () => {
  const eight = { iterations: 8 };
  const runs: [string, Policy, Partial<SampleOptions>?][] = [
    ["remask, positions at random", remask(eight)],
    [
      "remask, positions in clusters, linear schedule",
      remask({ ...eight, positions: "clustered", schedule: "linear" }),
    ],
    ["remask, positions by confidence", remask({ ...eight, positions: "confidence" })],
    ["remask, editable retention", remask({ ...eight, retention: "editable", sharpness: 1 })],
    [
      "remask, locked retention",
      remask({ ...eight, retention: "locked", sharpness: 1, positions: "confidence" }),
    ],
    ["remask, a canvas that grows", remask({ ...eight, growTokens: 3 })],
    [
      "remask, top-k, top-p, filtered confidence, less EOS",
      remask(eight),
      { topK: 40, topP: 0.9, confidence: "filtered", eosBias: -2 },
    ],
    ["remask, MASK allowed", remask(eight), { allowMask: true, temperature: 3 }],
    ["remask, the most probable tokens", remask(eight), { temperature: 0 }],
    ["remask, a prompt that attends to itself alone", remask(eight), { attention: "prefix" }],
    ["remask, a prompt of the causal base", remask(eight), { attention: "causal-prefix" }],
    ["refine", refine({ iterations: 6 })],
    ["llada, one block", llada({ iterations: 6 })],
    [
      "llada, blocks and guidance",
      llada({ iterations: 6, blockTokens: 5, guidanceScale: 1.5, eosConfidenceOff: true }),
    ],
    ["threshold", threshold({ confidence: 0.2 })],
    ["threshold, blocks, to the last forward", threshold({ iterations: 4, blockTokens: 5 })],
    ["threshold, the factor rule, most probable tokens", threshold({ factor: 1.5 }), { temperature: 0 }],
    ["editing", editing({ confidence: 0.2, editConfidence: 0.1, iterations: 9 })],
    [
      "editing until nothing changes, most probable tokens",
      editing({ editConfidence: 0, edits: 9 }),
      { temperature: 0, attention: "causal-prefix" },
    ],
    ["revoking", revoking({ confidence: 0.2, keepConfidence: 0.2 })],
    ["entropy-bound", entropyBound({ iterations: 6 })],
    ["entropy-bound, the call's temperature", entropyBound({ iterations: 9, bound: 3, anneal: false })],
    ["revoking, to the last forward", revoking({ iterations: 5, confidence: 0 }), { temperature: 0 }],
  ];

  it("is told of every policy", () => {
    expect(new Set(runs.map(([, { kind }]) => kind))).toEqual(
      new Set(POLICY_KINDS.filter((kind) => policyDefinition(kind).denoising !== undefined)),
    );
  });

  it.each(runs)("give the same tokens: %s", async (_, policy, options = {}) => {
    const settings = { ...question, ...options };
    const run = await denoised(trained.sample({ ...settings, policy }));
    const loop = await loopOf(settings, policy);
    expect(run.rounds).toEqual(loop.rounds);
    expect(run.answer.canvasIds).toEqual(loop.canvasIds);
  });

  it("give the same tokens, on a canvas of one's own", async () => {
    const policy = remask({ iterations: 8, positions: "confidence" });
    const run = await denoised(trained.sample({ ...question, policy }));
    const canvas = trained.canvas({ ...question, iterations: 8 });
    const rounds: Round[] = [];
    let state = maskedAnswer(question.answerTokens, base.maskTokenId);
    while (!canvas.settled) {
      const { sampled, next } = remaskStep(state, await canvas.predict(), policy);
      state = next;
      canvas.write(state);
      rounds.push({ ids: sampled.ids, masked: canvas.settled ? 0 : tally(state.masked) });
    }
    expect(run.rounds).toEqual(rounds);
    expect(run.answer).toEqual(await canvas.answer());
  });

  it("give the same tokens for canvases without seeds, each by its number", async () => {
    const policy = remask({ iterations: 5, earlyStop: false });
    const { ids: prompt } = await base.render(question.messages);
    const canvases = Array.from({ length: 3 }, () => ({ ids: [...prompt] }));
    const settings = { answerTokens: 9, temperature: 1 };
    const answers = await trained.sampleMany({ canvases, ...settings, policy }).result();
    let states = canvases.map(() => maskedAnswer(9, base.maskTokenId));
    for (let iteration = 0; iteration < 5; iteration++) {
      const predictions = await trained.predict({
        canvases: states.map(({ ids }) => ({ ids: [...prompt, ...ids], answerStart: prompt.length })),
        temperature: 1,
        iteration,
      });
      states = states.map((state, canvas) => {
        const { ids, confidences } = predictions[canvas] as Prediction;
        const key = { iteration, seed: 0n, canvas };
        return policyStep(state, { ids, confidences, ...key, ...facts() }, policy).next;
      });
    }
    expect(answers.map(({ canvasIds }) => canvasIds)).toEqual(states.map(({ ids }) => ids));
  });

  it("give the same tokens: ar", async () => {
    const { ids: prompt } = await base.render(question.messages);
    const { canvasIds } = await base.sample({ ids: [...prompt], answerTokens: 8, policy: ar() }).result();
    const answer: number[] = [];
    while (answer.length < 8 && !base.stopTokenIds.includes(answer.at(-1) ?? -1)) {
      const ids = [...prompt, ...answer];
      const canvases = [{ ids, answerStart: ids.length - 1 }];
      const [next] = await base.predict({ canvases, attention: "causal" });
      answer.push(next?.ids[0] ?? -1);
    }
    expect(canvasIds).toEqual(answer);
  });

  it("is told of every policy that writes from left to right", () => {
    const told = [ar().kind, speculative().kind] as string[];
    const others = POLICY_KINDS.filter((kind) => policyDefinition(kind).denoising === undefined);
    expect(others.filter((kind) => !told.includes(kind))).toEqual([]);
  });

  it.each([
    ["canvas", 0],
    ["canvas", 1],
    ["past", 2],
  ] as const)(
    "give the same tokens: speculative, decided tokens in the %s, patience %i",
    async (decided, patience) => {
      const answerTokens = 12;
      const { ids: prompt } = await base.render(question.messages);
      const attention = "causal-prefix";
      const policy = speculative({ draftTokens: 4, decided, patience });
      const run = trained.sample({ ids: [...prompt], answerTokens, attention, policy });
      const made = await collected(run);
      const own = await base.sample({ ids: [...prompt], answerTokens, policy: ar() }).result();
      const answer: number[] = [own.canvasIds[0] ?? -1];
      const rounds = [{ drafted: [] as readonly number[], accepted: 0 }];
      const isOver = () => answer.length === answerTokens || base.stopTokenIds.includes(answer.at(-1) ?? -1);
      let rest: readonly number[] = [];
      let misses = 0;
      while (!isOver()) {
        const again = rest.length > 0 && misses < patience;
        if (!again) misses = 0;
        const drafted = again ? rest : await drafts();
        const [check] = await base.predict({
          canvases: [
            { ids: [...prompt, ...answer, ...drafted], answerStart: prompt.length + answer.length - 1 },
          ],
          attention: "causal",
          allowMask: true,
        });
        const owns = check?.ids ?? [];
        const agreeing = drafted.findIndex((token, i) => token !== owns[i]);
        const accepted = agreeing < 0 ? drafted.length : agreeing;
        answer.push(...drafted.slice(0, accepted));
        if (!base.stopTokenIds.includes(answer.at(-1) ?? -1)) answer.push(owns[accepted] ?? -1);
        rounds.push({ drafted, accepted });
        if (again && accepted === 0) misses++;
        rest = drafted.slice(accepted + 1);
      }
      expect(answer).toEqual(own.canvasIds);
      expect(made.map(({ speculation }) => speculation)).toEqual(rounds);
      expect(made.at(-1)?.answer).toEqual(answer);

      /** The adapter's tokens at the next positions, through the first stop token. */
      async function drafts(): Promise<readonly number[]> {
        const count = Math.min(4, answerTokens - answer.length - 1);
        if (count === 0) return [];
        const masks = Array<number>(answerTokens - answer.length).fill(base.maskTokenId);
        const past = decided === "past" ? answer.length - 1 : 0;
        const [prediction] = await trained.predict({
          canvases: [{ ids: [...prompt, ...answer, ...masks], answerStart: prompt.length + past }],
          attention,
        });
        const tokens = prediction?.ids.slice(answer.length - past, answer.length - past + count) ?? [];
        const end = tokens.findIndex((token) => base.stopTokenIds.includes(token));
        return end < 0 ? tokens : tokens.slice(0, end + 1);
      }
    },
  );

  /** What a policy may know of the base. */
  function facts() {
    const { maskTokenId, stopTokenIds } = base;
    return { maskTokenId, stopTokenIds };
  }

  /** A run, whatever the policy, with `predict` and the policy's step alone. */
  async function loopOf(
    { messages = "", answerTokens = 64, seed = 0, ...draw }: SampleOptions,
    policy: Policy,
  ) {
    const { ids: prompt } = await base.render(messages);
    const { denoising, drawMethod } = policyDefinition(policy.kind);
    const forwards = denoising?.forwards(policy, answerTokens) ?? 0;
    const { growTokens = 0, earlyStop = false } = policy as Partial<SettlingOptions>;
    const guidanceScale = denoising?.guidance?.(policy) ?? 0;
    const rounds: Round[] = [];
    let state = maskedAnswer(growTokens || answerTokens, base.maskTokenId);
    for (let iteration = 0, same = 0; iteration < forwards && same < 3; iteration++) {
      const canvases = [{ ids: [...prompt, ...state.ids], answerStart: prompt.length, seed }];
      const temperature = denoising?.temperature?.(policy, iteration) ?? draw.temperature;
      const drawing = { drawMethod, ...draw, temperature, guidanceScale };
      const [prediction] = await trained.predict({ canvases, ...drawing, iteration });
      const made = { ...(prediction as Prediction), iteration, seed: BigInt(seed), ...facts() };
      const { sampled, next, done } = policyStep(state, made, policy);
      same = earlyStop && isDeepStrictEqual(rounds.at(-1)?.ids, sampled.ids) ? same + 1 : 1;
      const isLast = same === 3 || iteration === forwards - 1;
      const more = Math.min(growTokens, answerTokens - next.ids.length);
      state = isLast ? next : grownAnswer(next, more, base.maskTokenId);
      rounds.push({ ids: sampled.ids, masked: same === 3 ? 0 : tally(state.masked) });
      if (done) break;
    }
    return { rounds, canvasIds: rounds.at(-1)?.ids };
  }
});

describe("sampling", () => {
  const many = { answerTokens: 9, temperature: 1, policy: remask({ iterations: 6, earlyStop: false }) };
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
