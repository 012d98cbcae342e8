import { type Adapter, type Base, distinctN, type Frame, type Runtime, type SampleOptions } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collected, EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const question = { messages: "Say abc.", answerTokens: 10, temperature: 1, seed: 2 };

let runtime: Runtime;
let base: Base;
let adapter: Adapter;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 4, seed: 7 });
  const training = { data: EXAMPLES, windowTokens: 48, batchSize: 4, steps: 10, warmupSteps: 0 };
  await adapter.train({ ...training, learningRate: 0.1 }).result();
});

afterAll(() => runtime?.close());

describe("every frame's edits", () => {
  const modes: SampleOptions[] = [
    { ...question, mode: "remask", iterations: 6 },
    {
      ...question,
      mode: "remask",
      iterations: 6,
      positions: "confidence",
      retention: "locked",
      sharpness: 1,
    },
    { ...question, mode: "refine", iterations: 5 },
    { ...question, mode: "llada", iterations: 5, blockTokens: 5 },
  ];

  it.each(modes.map((options) => [options.mode, options] as const))(
    "written into the last input give the next one: %s",
    async (_, options) => {
      const run = adapter.sample(options);
      const frames: Frame[] = await collected(run);
      const { canvasIds, iterations } = await run.result();
      expect(frames.map(({ iteration }) => iteration)).toEqual([...Array(iterations).keys()]);
      let input = Array<number>(10).fill(base.maskTokenId);
      for (const { edits, masked } of frames) {
        for (const { position, oldToken, confidence } of edits) {
          expect(oldToken).toBe(input[position]);
          expect(confidence).toBeGreaterThan(0);
          expect(confidence).toBeLessThanOrEqual(1);
        }
        const next = [...input];
        for (const { position, newToken, remasked } of edits) {
          next[position] = remasked ? base.maskTokenId : newToken;
        }
        input = next;
        expect(edits.filter(({ remasked }) => remasked).length).toBeLessThanOrEqual(masked);
      }
      expect(input).toEqual(canvasIds);
    },
  );
});

describe("a mode", () => {
  it("ar generates token by token on the base, with its adapters off", async () => {
    const options = { messages: "Say abc.", answerTokens: 8, mode: "ar" } as const;
    const answer = await base.sample(options).result();
    expect(answer.canvasIds.length).toBeLessThanOrEqual(8);
    expect(["eos", "length"]).toContain(answer.stopped);
    const { ids: prompt } = await base.render("Say abc.");
    const [prediction] = await base.predict({
      canvases: [{ ids: [...prompt, ...answer.canvasIds.slice(0, -1)], answerStart: prompt.length - 1 }],
      attention: "causal",
    });
    expect(prediction?.ids).toEqual(answer.canvasIds);
  });

  it("llada commits its share in every iteration and never takes it back", async () => {
    const frames = await collected(adapter.sample({ ...question, mode: "llada", iterations: 5 }));
    expect(frames.map(({ masked }) => masked)).toEqual([8, 6, 4, 2, 0]);
  });

  it("refine stops when three iterations in a row sample the same", async () => {
    const run = adapter.sample({ ...question, temperature: 0, mode: "refine", iterations: 200 });
    const frames = await collected(run);
    const answer = await run.result();
    if (answer.stopped === "settled") {
      const last = frames.slice(-3).map((frame) => frame.answer);
      expect(last[1]).toEqual(last[0]);
      expect(last[2]).toEqual(last[0]);
    } else expect(frames).toHaveLength(200);
  });
});

describe("the seed", () => {
  it("makes the answer, at any temperature but 0", async () => {
    const answer = (seed: number) => adapter.sample({ ...question, seed, iterations: 4 }).result();
    const [first, again, other] = [await answer(1), await answer(1), await answer(2)];
    expect(again).toEqual(first);
    expect(other.canvasIds).not.toEqual(first.canvasIds);
  });
});

describe("predict", () => {
  it("gives the most probable tokens and the logits they come from", async () => {
    const ids = [...(await base.encode("abc")), base.maskTokenId, base.maskTokenId];
    const [prediction] = await adapter.predict({ canvases: [{ ids, answerStart: 3 }], top: 3, logits: true });
    if (prediction === undefined) throw new Error("one canvas has one prediction");
    const { vocabSize } = base.info;
    expect(prediction.logits).toHaveLength(2 * vocabSize);
    expect(prediction.topIds).toHaveLength(6);
    for (const position of [0, 1]) {
      const logits = prediction.logits.subarray(position * vocabSize, (position + 1) * vocabSize);
      const best = logits.indexOf(Math.max(...logits));
      expect(prediction.topIds[3 * position]).toBe(best);
      expect(prediction.ids[position]).toBe(best);
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      expect(prediction.confidences[position]).toBeCloseTo(Math.exp(logits[best] as number) / total, 5);
      expect(prediction.topProbabilities[3 * position]).toBeCloseTo(
        prediction.confidences[position] as number,
        5,
      );
    }
  });
});

describe("scores", () => {
  it("are the log-likelihoods of what the causal model predicts", async () => {
    const [score] = await base.score({ items: [{ ids: await base.encode("Say"), continuation: "ab" }] });
    if (score === undefined) throw new Error("one item has one score");
    expect(score.tokenLogLikelihoods).toHaveLength(2);
    expect(score.logLikelihood).toBeCloseTo(
      score.tokenLogLikelihoods.reduce((a, b) => a + b, 0),
      4,
    );
    const [prediction] = await base.predict({
      canvases: [{ ids: await base.encode("Saya"), answerStart: 2 }],
      attention: "causal",
      logits: true,
    });
    const logits = prediction?.logits.subarray(0, base.info.vocabSize) ?? new Float32Array();
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const [a] = await base.encode("a");
    expect(score.tokenLogLikelihoods[0]).toBeCloseTo((logits[a as number] as number) - total, 4);
  });

  it("end with the first EOS", async () => {
    const eos = base.eosTokenId;
    const [score] = await base.score({ items: [{ ids: [65], continuation: [66, eos, eos, eos] }] });
    expect(score?.tokenLogLikelihoods).toHaveLength(2);
  });
});

describe("an evaluation", () => {
  it("answers, compares and judges by the base with its adapters off", async () => {
    const items = await base.questions(EXAMPLES, { windowTokens: 48 });
    const settings = { items, answerTokens: 8, iterations: 3, temperature: 1 };
    const evaluation = await adapter.evaluate({ ...settings, mode: "refine" });
    expect(evaluation.answers).toHaveLength(10);
    expect(evaluation.exactMatch).toMatchObject({ n: 10 });
    expect(evaluation.perplexityModel).toBe("stub");
    expect(evaluation.perplexity.answers + evaluation.perplexity.empty).toBe(10);
    expect(evaluation.perplexity.perplexity).toBeGreaterThan(1);
    expect(evaluation.distinct2).toBe(
      distinctN(
        evaluation.answers.map(({ ids }) => ids),
        2,
      ),
    );
    const { ids, reference } = items[0] ?? { ids: [], reference: "" };
    const [perfect] = [await base.evaluate({ ...settings, items: [{ ids, reference }], mode: "ar" })];
    expect(perfect.answers[0]?.text === reference).toBe(perfect.exactMatch?.accuracy === 1);
  });
});
