/** How the tails of answers are trained, on a real worker: filled with tokens that take turns, and weighted. */
import {
  type Adapter,
  applyNoise,
  type Base,
  gap,
  lad,
  type PreparedExample,
  policyStep,
  type Runtime,
  refine,
  remask,
  targeted,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFiles, collected, EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const PADS = ["[USER]", "[SYSTEM]", "~"];
const window = { windowTokens: 48, padTokens: PADS };
const loss = { supervise: "all-answer-tokens", tail: true, tailWeight: 0.25, weighting: "uniform" } as const;

let runtime: Runtime;
let base: Base;
let adapter: Adapter;
let pads: number[];

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
  pads = (await Promise.all(PADS.map((pad) => base.encode(pad, { allowSpecial: true })))).flat();
  adapter = await base.createAdapter({ rank: 3, targets: ["q_proj", "v_proj", "down_proj"], seed: 7 });
  const training = { ...window, loss, batchSize: 4, warmupSteps: 1, learningRate: 0.1, steps: 12 };
  await adapter.train({ ...training, data: EXAMPLES }).result();
});

afterAll(() => runtime?.close());

describe("tokens that fill tails in turn", () => {
  it("stand behind each answer's one end, and leave the rest of the windows and the questions as they are", async () => {
    const plain = await collected(base.examples(EXAMPLES, { windowTokens: 48 }));
    const filled = await collected(base.examples(EXAMPLES, window));
    expect(await base.prepare(EXAMPLES, window)).toEqual(await base.prepare(EXAMPLES, { windowTokens: 48 }));
    for (const [i, { ids, tail, answer }] of filled.entries()) {
      const own = tail.indexOf(1);
      expect([[...tail], [...answer]]).toEqual([[...(plain[i]?.tail ?? [])], [...(plain[i]?.answer ?? [])]]);
      expect(ids.slice(0, own)).toEqual(plain[i]?.ids.slice(0, own));
      expect(ids[own - 1]).toBe(base.eosTokenId);
      expect(ids.slice(own)).toEqual(ids.slice(own).map((_, p) => pads[p % pads.length]));
    }
    expect(await base.questions(EXAMPLES, window)).toEqual(
      await base.questions(EXAMPLES, { windowTokens: 48 }),
    );
  });

  it("are claimed by the adapter, its files and its checkpoints", async () => {
    const { claims } = await adapter.refresh();
    expect(claims).toMatchObject({ padTokens: PADS, loss, windowTokens: 48 });
    await adapter.save(`${scratch}/tails`);
    expect((await base.loadAdapter(`${scratch}/tails`)).info.claims).toEqual(claims);
    await adapter.checkpoint("tails");
    expect((await base.loadCheckpoint("tails")).info.claims).toEqual(claims);
  });

  it("are refused by name where they are no token of the base, or its mask", async () => {
    const error = { code: "invalid-option", option: "padTokens" };
    const prepared = (padTokens: string[]) => base.prepare(EXAMPLES, { ...window, padTokens });
    await expect(prepared(["~", "two"])).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining(
        "padTokens is two: it must be exactly one token of this base, and is 3",
      ),
    });
    await expect(prepared([base.info.maskToken])).rejects.toMatchObject(error);
    const sampled = adapter.sample({ ids: [5], answerTokens: 4, padTokens: ["two"] });
    await expect(sampled.result()).rejects.toMatchObject(error);
  });

  it("follow the end of an answer in pieces, as the adapter was trained or as it is said", async () => {
    const ask = { messages: "Say b.", answer: ["ab", gap(2), "c"], answerTokens: 10, policy: refine() };
    const own = await adapter.sample(ask).result();
    const tail = (some: readonly number[]) =>
      [0, 1, 2, 3].map((p) => some[p % some.length] ?? base.eosTokenId);
    expect(own.canvasIds.slice(5)).toEqual([base.eosTokenId, ...tail(pads)]);
    expect(own.ids).toHaveLength(5);
    const none = await adapter.sample({ ...ask, padTokens: [] }).result();
    expect(none.canvasIds.slice(5)).toEqual(Array(5).fill(base.eosTokenId));
  });

  it("count as an end where positions are chosen by confidence: a run and the same loop over a canvas", async () => {
    const policy = remask({ iterations: 8, positions: "confidence", earlyStop: false });
    const question = { messages: "Say abc.", seed: 5, temperature: 1, answerTokens: 36 };
    const frames = await collected(adapter.sample({ ...question, policy }));
    const canvas = adapter.canvas({ ...question, iterations: 8, earlyStop: false });
    const rounds: (readonly number[])[] = [];
    let state = canvas.beginning;
    while (!canvas.settled) {
      const prediction = await canvas.predict();
      expect(prediction.padTokenIds).toEqual(pads);
      const { sampled, next } = policyStep(state, prediction, policy);
      rounds.push(sampled.ids);
      state = next;
      canvas.write(state);
    }
    expect(frames.map(({ answer }) => answer)).toEqual(rounds);
    expect(rounds.flat().some((id) => pads.includes(id))).toBe(true);
    const ignorant = await collected(adapter.sample({ ...question, policy, padTokens: [] }));
    expect(ignorant.map(({ answer }) => answer)).not.toEqual(rounds);
  });
});

describe("an answer whose tail is filled in turn", () => {
  it("is measured up to its first end", async () => {
    const asked = { messages: "Say b.", answer: ["b."] };
    const answers = await adapter
      .sampleMany({ canvases: [asked], answerTokens: 8, policy: refine() })
      .result();
    expect(answers.map(({ text, canvasIds }) => [text, canvasIds.length])).toEqual([["b.", 8]]);
    const continuation = answers[0]?.canvasIds ?? [];
    const [score] = await base.score({ items: [{ messages: asked.messages, continuation }] });
    expect(score?.tokenLogLikelihoods).toHaveLength(3);
  });
});

describe("a lighter tail", () => {
  it("is weighted in a gradient of rows as in that of the same sequences made here, in any micro-batches", async () => {
    const rows = [4, 0, 7];
    const all = await collected(base.examples(EXAMPLES, window));
    const clean = rows.map((row) => all[row] as PreparedExample);
    const { maskTokenId, vocabSize } = base.info;
    const shown = clean.map((example) =>
      applyNoise(example, lad(), { seed: 9n, epoch: 2, maskTokenId, vocabSize }),
    );
    const given = { data: EXAMPLES, ...window, rows, noise: lad(), loss, seed: 9, epoch: 2 };
    await using ofRows = await base.createAdapter({ rank: 2, useRslora: true });
    await using ofSequences = await base.createAdapter({ rank: 2, useRslora: true });
    const sequences = targeted(clean, shown, loss);
    expect(await ofRows.forwardBackward(given)).toEqual(await ofSequences.forwardBackward({ sequences }));
    await ofRows.optimStep({ learningRate: 0.01 });
    await ofSequences.optimStep({ learningRate: 0.01 });
    expect(await adapterFiles(ofRows, scratch)).toEqual(await adapterFiles(ofSequences, scratch));

    const heavy = { ...loss, tailWeight: 1 };
    const { loss: equal } = await ofRows.forwardBackward({ sequences: targeted(clean, shown, heavy) });
    const { loss: light } = await ofRows.forwardBackward({ sequences });
    expect(light).not.toBeCloseTo(equal, 3);
  });

  it("gives losses of the tail and the text that are plain means", async () => {
    const ask = { data: EXAMPLES, ...window };
    const light = await adapter.validate({ ...ask, loss });
    const heavy = await adapter.validate({ ...ask, loss: { ...loss, tailWeight: 1 } });
    const { loss: lightLoss, ...means } = light.report;
    const { loss: heavyLoss, ...same } = heavy.report;
    expect(means).toEqual(same);
    expect(lightLoss).not.toBeCloseTo(heavyLoss, 3);
  });
});

describe("a rank-stabilised adapter", () => {
  it("says so, and computes what one with the equal alpha does", async () => {
    const rank = 4;
    const trained = async (options: { alpha: number; useRslora?: boolean }) => {
      const made = await base.createAdapter({ rank, seed: 2, ...options });
      const step = { warmupSteps: 0, steps: 2, learningRate: 0.05, windowTokens: 48 };
      await made.train({ ...step, data: EXAMPLES }).result();
      return made;
    };
    const stabilised = await trained({ alpha: 4, useRslora: true });
    const plain = await trained({ alpha: 8 });
    expect([stabilised.info.useRslora, plain.info.useRslora]).toEqual([true, false]);
    const data = { data: EXAMPLES, windowTokens: 48 };
    expect(await stabilised.validate(data)).toEqual(await plain.validate(data));
    await stabilised.save(`${scratch}/rslora`);
    const loaded = await base.loadAdapter(`${scratch}/rslora`);
    expect([loaded.info.alpha, loaded.info.useRslora]).toEqual([4, true]);
    expect(await loaded.validate(data)).toEqual(await plain.validate(data));
  });
});
