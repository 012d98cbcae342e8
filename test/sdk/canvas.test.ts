import { describe, expect, it } from "vitest";
import type { CanvasOptions } from "../../sdk/src/index.js";
import { SamplingService, toFloat32Bytes } from "../../sdk/src/wire.js";
import { EOS, MASK, stubWorker } from "./support/stub-worker.js";

/** A canvas whose predictions are scripted, one list of ids after another, the last one again and again. */
async function scripted(predictions: number[][], options: Partial<CanvasOptions> = {}, stopTokenIds = [EOS]) {
  const { adapter, transport } = await stubWorker([], { stopTokenIds });
  let next = 0;
  transport.onCall(SamplingService.predict, () => {
    const ids = predictions[Math.min(next++, predictions.length - 1)] ?? [];
    const ones = toFloat32Bytes(ids.map(() => 1));
    return {
      predictions: [
        {
          ids,
          confidences: ones,
          entropies: ones,
          standing: ones,
          topIds: [],
          topProbabilities: Buffer.alloc(0),
          logits: Buffer.alloc(0),
        },
      ],
    };
  });
  const canvas = adapter.canvas({ messages: "ab", answerTokens: 3, seed: 5, ...options });
  return { canvas, requests: () => transport.requestsOf(SamplingService.predict) };
}

describe("a canvas", () => {
  it("begins all masked", async () => {
    const { canvas } = await scripted([[1, 2, 3]]);
    expect(canvas.ids).toEqual([MASK, MASK, MASK]);
    expect(canvas.masked).toEqual([true, true, true]);
    expect(canvas.settled).toBe(false);
  });

  it("predicts from the rendered prompt and what is written, the iteration keying the draws", async () => {
    const { canvas, requests } = await scripted([[1, 2, 3]]);
    await canvas.predict();
    canvas.write({ ids: [1, 9, 3], masked: [false, true, false] });
    const { iteration, iterations, seed, input } = await canvas.predict();
    expect({ iteration, iterations, seed, input }).toEqual({
      iteration: 1,
      iterations: 32,
      seed: 5n,
      input: { ids: [1, MASK, 3], masked: [false, true, false] },
    });
    const prompt = [..."ab"].map((letter) => letter.charCodeAt(0));
    expect(requests().map(({ canvases }) => canvases[0])).toEqual([
      { ids: [...prompt, MASK, MASK, MASK], answerStart: 2, seed: 5n, stopFrom: 0 },
      { ids: [...prompt, 1, MASK, 3], answerStart: 2, seed: 5n, stopFrom: 0 },
    ]);
    expect(requests().map(({ spec }) => spec?.iteration)).toEqual([0, 1]);
  });

  it("keeps apart a mask and the mask token as text", async () => {
    const { canvas } = await scripted([[MASK, 2, 3]]);
    await canvas.predict();
    canvas.write({ ids: [MASK, 2, 3] });
    expect(canvas.masked).toEqual([false, false, false]);
  });

  it("is settled when three consecutive rounds sampled the same answer, masked or not", async () => {
    const { canvas } = await scripted([
      [1, 2, 3],
      [4, 2, 3],
    ]);
    const rounds: boolean[] = [];
    for (let round = 0; round < 4; round++) {
      const { ids } = await canvas.predict();
      canvas.write({ ids, masked: [round % 2 === 0, false, false] });
      rounds.push(canvas.settled);
    }
    expect(rounds).toEqual([false, false, false, true]);
    expect((await canvas.answer()).stopped).toBe("length"); // nothing ends the answer
    canvas.write({ ids: [4, EOS, 3] });
    canvas.write({ ids: [4, EOS, 3] });
    canvas.write({ ids: [4, EOS, 3] });
    expect((await canvas.answer()).stopped).toBe("settled");
    canvas.write({ ids: [EOS, 2, 3] });
    expect((await canvas.answer()).stopped).toBe("iterations");
  });

  it("predicts what JSON can hold", async () => {
    const { canvas } = await scripted([[1, 2, 3]]);
    const prediction = await canvas.predict();
    expect(prediction.seed).toBe(5n);
    expect(JSON.parse(JSON.stringify(prediction))).toMatchObject({ ids: [1, 2, 3], seed: "5", iteration: 0 });
  });

  it("is settled after its iterations", async () => {
    let next = 0;
    const { canvas } = await scripted([[1], [2], [3]], { answerTokens: 1, iterations: 3, earlyStop: false });
    for (; !canvas.settled; next++) canvas.write(await canvas.predict());
    expect(next).toBe(3);
    expect((await canvas.answer()).stopped).toBe("length");
  });

  it("answers up to the first EOS, with the last prediction where a mask still shows", async () => {
    const { canvas } = await scripted([[5, EOS, 6]]);
    await canvas.predict();
    canvas.write({ ids: [5, MASK, 6], masked: [false, true, false] });
    expect(await canvas.answer()).toMatchObject({
      ids: [5],
      canvasIds: [5, EOS, 6],
      text: "5",
      iterations: 1,
    });
  });

  it("answers up to the first of several stop tokens", async () => {
    const { canvas } = await scripted([[5, 9, EOS]], {}, [EOS, 9]);
    await canvas.predict();
    expect(await canvas.answer()).toMatchObject({ ids: [5], canvasIds: [5, 9, EOS], text: "5" });
  });

  it("answers up to a stop string, and says which", async () => {
    const { canvas } = await scripted([[5, 9, 61]], { stop: [" 6", "absent"] });
    await canvas.predict();
    const { text, ids, stopped, stop } = await canvas.answer();
    expect({ text, ids, stopped, stop }).toEqual({ text: "5 9", ids: [5, 9], stopped: "stop", stop: " 6" });
  });

  it("may grow up to its answer's length, and never shrinks", async () => {
    const { canvas } = await scripted([[1], [1, 2]], { startTokens: 1 });
    await canvas.predict();
    canvas.write({ ids: [1, MASK], masked: [false, true] });
    expect(canvas.masked).toEqual([false, true]);
    expect(() => canvas.write({ ids: [1] })).toThrow("the canvas has 2 of 3 answer positions");
    expect(() => canvas.write({ ids: [1, 2, 3, 4] })).toThrow(/ids is 4 entries/);
  });

  it("wants a mask flag for each position", async () => {
    const { canvas } = await scripted([[1, 2, 3]]);
    expect(() => canvas.write({ ids: [1, 2, 3], masked: [true] })).toThrow("masked is 1 entries");
  });
});
