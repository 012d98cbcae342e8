import { type Adapter, applyNoise, type Base, fixed, Purpose, type Runtime } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collected, EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const window = { windowTokens: 48 };
let runtime: Runtime;
let base: Base;
let adapter: Adapter;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 4, seed: 7 });
  const training = { data: EXAMPLES, ...window, batchSize: 4, steps: 10, warmupSteps: 0 };
  await adapter.train({ ...training, learningRate: 0.1 }).result();
});

afterAll(() => runtime?.close());

describe("a loss curve", () => {
  it("has a point for every kind and level, each with the examples that count and an interval", async () => {
    const { points, data } = await adapter.lossCurve({ data: EXAMPLES, ...window, levels: [0.3, 1] });
    expect(points.map(({ kind, level }) => `${kind} ${level}`)).toEqual(
      ["masked", "swapped", "duplicated", "shifted"].flatMap((kind) => [`${kind} 0.3`, `${kind} 1`]),
    );
    for (const { kind, ce, tokens } of points) {
      expect(ce.by).toBe("bootstrap");
      if (kind === "masked") expect(ce.n).toBe(data.kept);
      if (ce.n === 0) continue; // a span that is copied within the tail changes nothing
      expect(ce.n).toBeLessThanOrEqual(data.kept);
      expect(tokens).toBeGreaterThanOrEqual(ce.n);
      expect(ce.interval[0]).toBeLessThanOrEqual(ce.value);
      expect(ce.interval[1]).toBeGreaterThanOrEqual(ce.value);
    }
    const all = await adapter.lossCurve({ data: EXAMPLES, ...window, levels: [0.3, 1] });
    expect(all.points).toEqual(points);
  });

  it("is that of `validate` under the same noise, example by example that of `predict`", async () => {
    const level = 0.5;
    const settings = { data: EXAMPLES, ...window, seed: 5 };
    const { points } = await adapter.lossCurve({ ...settings, kinds: ["masked"], levels: [level] });
    const [point] = points;
    const noise = fixed({ masked: level });
    const { report } = await adapter.validate({
      ...settings,
      noise,
      loss: { supervise: "corrupted-answer-tokens" },
    });
    expect(point?.ce.value).toBeCloseTo(report.corruptedContentCe, 9);
    expect(point?.tokens).toBe(report.corruptedContentTokens);

    let [nats, tokens] = [0, 0];
    for (const example of await collected(base.examples(EXAMPLES, window))) {
      const { maskTokenId } = base;
      const { vocabSize } = base.info;
      const context = { seed: 5n, epoch: 0, maskTokenId, vocabSize, purpose: Purpose.validationNoise };
      const noised = applyNoise(example, noise, context);
      const canvases = [{ ids: noised.ids, answerStart: 0 }];
      const [prediction] = await adapter.predict({ canvases, logits: true });
      for (const [i, id] of [...example.ids].entries()) {
        if (!noised.corrupted[i] || !example.answer[i] || example.tail[i]) continue;
        const logits = prediction?.logits.subarray(i * vocabSize, (i + 1) * vocabSize) ?? [];
        const total = Math.log(Array.from(logits).reduce((sum, logit) => sum + Math.exp(logit), 0));
        nats += total - Number(logits[id]);
        tokens++;
      }
    }
    expect(point?.tokens).toBe(tokens);
    expect(point?.ce.value).toBeCloseTo(nats / tokens, 3);
  });

  it("masks the content alone where the tail is to stay", async () => {
    const settings = { data: EXAMPLES, ...window, kinds: ["masked" as const], levels: [1] };
    const [all] = (await adapter.lossCurve(settings)).points;
    const [visible] = (await adapter.lossCurve({ ...settings, tailNoise: false })).points;
    expect(visible?.tokens).toBe(all?.tokens);
    expect(visible?.ce.value).not.toBe(all?.ce.value);
  });

  it("names a level that is none", async () => {
    await expect(adapter.lossCurve({ data: EXAMPLES, levels: [0] })).rejects.toThrow(/levels/);
  });
});
