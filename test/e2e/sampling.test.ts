import {
  type Adapter,
  ar,
  type Base,
  distinctN,
  type Evaluation,
  type Frame,
  llada,
  type Runtime,
  refine,
  remask,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NOISE_KINDS } from "../../sdk/src/method/noise.js";
import { POLICY_KINDS } from "../../sdk/src/method/policy.js";
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
  const policies = [
    remask({ iterations: 6 }),
    remask({ iterations: 6, positions: "confidence", retention: "locked", sharpness: 1 }),
    refine({ iterations: 5 }),
    llada({ iterations: 5, blockTokens: 5 }),
  ];

  it.each(policies.map((policy) => [policy.kind, policy] as const))(
    "written into the last input give the next one: %s",
    async (_, policy) => {
      const run = adapter.sample({ ...question, policy });
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

describe("a policy", () => {
  it("ar generates token by token on the base, with its adapters off", async () => {
    const options = { messages: "Say abc.", answerTokens: 8, policy: ar() };
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
    const frames = await collected(adapter.sample({ ...question, policy: llada({ iterations: 5 }) }));
    expect(frames.map(({ masked }) => masked)).toEqual([8, 6, 4, 2, 0]);
  });

  it("refine stops when three iterations in a row sample the same", async () => {
    const run = adapter.sample({ ...question, temperature: 0, policy: refine({ iterations: 200 }) });
    const frames = await collected(run);
    if (frames.length < 200) {
      const last = frames.slice(-3).map((frame) => frame.answer);
      expect(last[1]).toEqual(last[0]);
      expect(last[2]).toEqual(last[0]);
    } else expect(frames).toHaveLength(200);
  });
});

describe("the seed", () => {
  it("makes the answer, at any temperature but 0", async () => {
    const answer = (seed: number) =>
      adapter.sample({ ...question, seed, policy: remask({ iterations: 4 }) }).result();
    const [first, again, other] = [await answer(1), await answer(1), await answer(2)];
    expect(again).toEqual(first);
    expect(other.canvasIds).not.toEqual(first.canvasIds);
  });
});

describe("canvases without a seed", () => {
  const settings = {
    answerTokens: 10,
    temperature: 1,
    policy: remask({ iterations: 4, positions: "confidence" }),
  };
  const prompts = Array.from({ length: 4 }, () => ({ messages: "Say abc." }));

  it("draw otherwise than each other, the first as it would alone, and as often as one likes the same", async () => {
    const answers = await adapter.sampleMany({ ...settings, canvases: prompts }).result();
    expect(new Set(answers.map(({ canvasIds }) => canvasIds.join())).size).toBe(4);
    expect(await adapter.sampleMany({ ...settings, canvases: prompts }).result()).toEqual(answers);
    expect(await adapter.sample({ ...settings, messages: "Say abc." }).result()).toEqual(answers[0]);
    expect(await adapter.sample({ ...settings, messages: "Say abc.", seed: 0 }).result()).toEqual(answers[0]);
  });

  it("draw as they would alone where they have one, whatever their number", async () => {
    const canvases = prompts.map((prompt) => ({ ...prompt, seed: 7 }));
    const answers = await adapter.sampleMany({ ...settings, canvases }).result();
    expect(new Set(answers.map(({ canvasIds }) => canvasIds.join())).size).toBe(1);
  });

  it("do so by ar as well", async () => {
    const canvases = prompts.map(() => ({ messages: "Say abc." }));
    const answers = await base
      .sampleMany({ canvases, answerTokens: 8, temperature: 1.5, policy: ar() })
      .result();
    expect(new Set(answers.map(({ canvasIds }) => canvasIds.join())).size).toBeGreaterThan(1);
  });
});

describe("the mask token", () => {
  const canvases = Array.from({ length: 40 }, (_, seed) => ({ messages: "Say abc.", seed }));
  const settings = { canvases, answerTokens: 16, temperature: 4 };
  const masks = async (answers: Promise<readonly { canvasIds: readonly number[] }[]>) =>
    (await answers).flatMap(({ canvasIds }) => canvasIds).filter((id) => id === base.maskTokenId).length;

  it.each([remask({ iterations: 2 }), refine({ iterations: 2 }), llada({ iterations: 2 })])(
    "is never drawn, unless it is allowed: $kind",
    async (policy) => {
      expect(await masks(adapter.sampleMany({ ...settings, policy }).result())).toBe(0);
      expect(
        await masks(adapter.sampleMany({ ...settings, policy, allowMask: true }).result()),
      ).toBeGreaterThan(0);
    },
  );

  it("is a token as any other of the causal base by itself", async () => {
    expect(await masks(base.sampleMany({ ...settings, policy: ar() }).result())).toBeGreaterThan(0);
  });
});

describe("the worker", () => {
  it("tells by which policies it samples and with which noises it trains", async () => {
    const { policies, noises } = await runtime.info();
    expect(policies).toEqual(POLICY_KINDS);
    expect(noises).toEqual(NOISE_KINDS);
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
      const logits = prediction.logits.slice(position * vocabSize, (position + 1) * vocabSize);
      expect(Number.isFinite(logits[base.maskTokenId])).toBe(true);
      logits[base.maskTokenId] = Number.NEGATIVE_INFINITY; // which is not drawn
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
    const settings = { items, answerTokens: 8, temperature: 1 };
    const evaluation = await adapter.evaluate({ ...settings, policy: refine({ iterations: 3 }) });
    expect(evaluation.answers).toHaveLength(10);
    expect(evaluation.exactMatch).toMatchObject({ n: 10 });
    expect(evaluation.perplexityModel).toBe("stub");
    expect(evaluation.perplexity.n + 10 * evaluation.emptyAnswers.value).toBe(10);
    expect(evaluation.perplexity.value).toBeGreaterThan(1);
    expect(evaluation.distinct2.value).toBe(
      distinctN(
        evaluation.answers.map(({ ids }) => ids),
        2,
      ),
    );
    const { ids, reference } = items[0] ?? { ids: [], reference: "" };
    const [perfect] = [await base.evaluate({ ...settings, items: [{ ids, reference }], policy: "ar" })];
    expect(perfect.answers[0]?.text === reference).toBe(perfect.exactMatch.value === 1);
  });

  it("gives the same bytes whatever the order and the company of the questions, with a run beside", async () => {
    const items = await base.questions(EXAMPLES, { windowTokens: 48 });
    const settings = { answerTokens: 8, temperature: 1, policy: remask({ iterations: 3 }) };
    const whole = await adapter.evaluate({ ...settings, items });
    const run = (await base.createAdapter({ rank: 2 })).train({
      data: EXAMPLES,
      windowTokens: 48,
      steps: 100_000,
      detached: true,
    });
    for await (const event of run) if (event.type === "step") break;
    const turned = await adapter.evaluate({ ...settings, items: items.toReversed() });
    const figures = ({ answers: _, items: __, seconds: ___, tokensPerSecond: ____, ...rest }: Evaluation) =>
      rest;
    expect(figures(turned)).toEqual(figures(whole));
    const answersOf = ({ answers }: Evaluation) => answers.map(({ canvas: _, ...answer }) => answer);
    expect(answersOf(turned).toReversed()).toEqual(answersOf(whole));
    const some = await adapter.evaluate({ ...settings, items: items.slice(3, 5) });
    expect(answersOf(some)).toEqual(answersOf(whole).slice(3, 5));
    expect(some.items.map(({ key }) => key)).toEqual(whole.items.slice(3, 5).map(({ key }) => key));
    expect(answersOf(await adapter.evaluate({ ...settings, items, seed: 1 }))).not.toEqual(answersOf(whole));
    await run.cancel();
  });

  it("is judged by another resident base where one is named, which reads the texts", async () => {
    const judge = await runtime.loadBase("tiny");
    const [one, two] = (await base.questions(EXAMPLES, { windowTokens: 48 })).slice(0, 2);
    const items = [one, two].filter((item) => item !== undefined);
    const settings = { items, answerTokens: 8, temperature: 1, policy: refine({ iterations: 3 }) };
    const own = await adapter.evaluate(settings);
    const judged = await adapter.evaluate({ ...settings, perplexityUnder: judge });
    expect(judged.perplexityModel).toBe("tiny");
    expect(judged.answers).toEqual(own.answers);
    expect(judged.perplexity.value).not.toBe(own.perplexity.value);
    const [{ answer, scores } = { answer: undefined, scores: undefined }] = judged.items;
    if (answer === undefined || answer.ids.length === 0) throw new Error("the first answer has tokens");
    const [prompt] = [await base.decode(one?.ids ?? [])];
    const continuation = await judge.encode(answer.text);
    const ended = answer.ids.length < answer.canvasIds.length ? [judge.eosTokenId] : [];
    const [score] = await judge.score({
      items: [
        {
          ids: await judge.encode(prompt, { allowSpecial: true }),
          continuation: [...continuation, ...ended],
        },
      ],
    });
    expect(scores?.tokenLogLikelihoods).toHaveLength(score?.tokenLogLikelihoods.length ?? 0);
    expect((await adapter.evaluate({ ...settings, perplexityUnder: base })).perplexity).toEqual(
      own.perplexity,
    );
    expect(() => adapter.evaluate({ ...settings, perplexityUnder: "tiny" as never })).toThrow(
      /perplexityUnder/,
    );
  });
});
