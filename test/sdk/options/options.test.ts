import { describe, expect, it } from "vitest";
import { check } from "../../../sdk/src/checks/check.js";
import { LadError } from "../../../sdk/src/errors.js";
import { cover, lad, maskOnly } from "../../../sdk/src/method/noises/registered.js";
import { ar, llada, refine } from "../../../sdk/src/method/policies/registered.js";
import { jsonl } from "../../../sdk/src/options/data/sources.js";
import { checkEvaluate } from "../../../sdk/src/options/evaluation.js";
import {
  checkCanvas,
  checkForwardBackward,
  checkOptimStep,
  checkPredict,
  checkScore,
} from "../../../sdk/src/options/primitive-checks.js";
import {
  adamw,
  adapterOptions,
  baseOptions,
  checkRuntime,
  checkSample,
  checkSampleMany,
  checkTraining,
  checkValidate,
  customNoise,
  muon,
  optimizerSpec,
  scheduleFor,
  type TrainingOptions,
} from "../../../sdk/src/options.js";

const data = [{ instruction: "a", output: "b" }];

/** The error of something that throws. */
function errorOf(act: () => unknown): LadError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(LadError);
    return error as LadError;
  }
  throw new Error("nothing was thrown");
}

function train(options: object): ReturnType<typeof checkTraining> & { warnings: string[] } {
  const warnings: string[] = [];
  return {
    ...checkTraining({ data, ...options } as TrainingOptions, (text) => warnings.push(text)),
    warnings,
  };
}

describe("the defaults", () => {
  it("of training are the method's, called lad", () => {
    const { warnings, ...given } = train({});
    expect(warnings).toEqual([]);
    expect(given).toMatchObject({
      windowTokens: 256,
      padToWindow: true,
      tooLong: "drop",
      superviseTurns: "last",
      allowSpecial: false,
      noise: lad(),
      loss: { supervise: "all-tokens", tail: true, tailWeight: 1, weighting: "uniform" },
      optimizer: { kind: "adamw", weightDecay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      schedule: { learningRate: 1e-5, warmupSteps: undefined, decay: "cosine", finalFraction: 0 },
      batchSize: 8,
      maxGradientNorm: 0.5,
      seed: 0n,
      detached: false,
    });
    expect(given.steps).toBeUndefined();
  });

  it("of lad noise are the paper's", () => {
    expect(lad()).toEqual({
      kind: "lad",
      tailNoise: true,
      fullMaskProbability: 0.1,
      maskProbability: 0.5,
      maxMaskFraction: 0.5,
      swapScale: 0.25,
      duplicateScale: 0.25,
      shiftScale: 0.25,
      maxSpan: 3,
      maxShift: 4,
    });
    expect(maskOnly().minTime).toBe(1e-3);
    expect(cover().kind).toBe("cover");
  });

  it("of sampling are 32 iterations of remask at temperature 0, confidence weights clipped at 0.1", () => {
    const { canvases, spec } = checkSample({ messages: "a" }, true, () => {});
    expect(canvases).toEqual([
      { messages: [{ role: "user", content: "a" }], ids: undefined, allowSpecial: false, seed: undefined },
    ]);
    expect(spec).toMatchObject({
      policy: {
        kind: "remask",
        iterations: 32,
        schedule: "exponential",
        sharpness: 5,
        noiseStart: 1,
        positions: "random",
        minGuidanceWeight: 0.1,
        retention: "none",
        earlyStop: true,
      },
      temperature: 0,
      topK: 0,
      topP: 1,
      drawMethod: "inverse-cdf",
      confidence: "unfiltered",
      allowMask: false,
    });
  });

  it("of an adapter are q_proj and v_proj, alpha as the rank, no dropout", () => {
    const given = check(adapterOptions, { rank: 8 });
    expect(given).toEqual({ rank: 8, targets: ["q_proj", "v_proj"], dropout: 0, useRslora: false, seed: 0n });
  });

  it("of Muon have its own learning rate", () => {
    expect(train({ optimizer: "muon" }).schedule.learningRate).toBe(1e-2);
    expect(train({ optimizer: muon(), learningRate: 0.5 }).schedule.learningRate).toBe(0.5);
    expect(optimizerSpec(adamw())).toMatchObject({ kind: "adamw", momentum: 0.95, newtonSchulzSteps: 5 });
  });

  it("of LLaDA draw with Gumbel noise", () => {
    const { spec } = checkSample({ messages: "a", policy: "llada" }, true, () => {});
    expect(spec.drawMethod).toBe("gumbel");
  });
});

describe("a wrong option", () => {
  it.each([
    [{ rank: 0 }, "rank", "rank is 0: it must be an integer of at least 1."],
    [{ rank: 1.5 }, "rank", "rank is 1.5: it must be an integer of at least 1."],
    [{}, "rank", "rank is missing: it is required. Give an integer of at least 1."],
    [{ rnak: 4 }, "rnak", "rnak is 4: there is no such option. Did you mean rank?"],
    [{ rank: 4, dropout: 1 }, "dropout", "dropout is 1: it must be a number from 0 to below 1."],
    [
      { rank: 4, targets: [] },
      "targets",
      "targets is []: it must be a list of projection names, at least one.",
    ],
    [{ rank: 4, alpha: 0 }, "alpha", "alpha is 0: it must be a finite number above 0."],
  ])("of an adapter is named with its value and the remedy: %j", (options, option, message) => {
    const error = errorOf(() => check(adapterOptions, options));
    expect(error).toMatchObject({ code: "invalid-option", option, message });
  });

  it.each([
    [{ learningRate: Number.NaN }, "learningRate", "NaN"],
    [{ steps: 0 }, "steps", "0"],
    [{ seed: -1 }, "seed", "-1"],
    [{ seed: 2 ** 53 }, "seed", String(2 ** 53)],
    [{ noise: "ladd" }, "noise", "ladd"],
    [{ noise: { kind: "lad", maxSpan: 0 } }, "noise.maxSpan", "0"],
    [{ noise: { kind: "mask-only", minTime: 0 } }, "noise.minTime", "0"],
    [{ loss: "all" }, "loss", "all"],
    [{ loss: { supervise: "all-tokens", tial: false } }, "loss.tial", "false"],
    [{ optimizer: "sgd" }, "optimizer", "sgd"],
    [{ optimizer: { kind: "adamw", momentum: 0.9 } }, "optimizer.momentum", "0.9"],
    [{ validation: { data: [] } }, "validation.data", "[]"],
    [{ validation: { data, everyStep: 4 } }, "validation.everyStep", "4"],
    [{ checkpoint: { name: "../evil" } }, "checkpoint.name", "../evil"],
    [{ data: [] }, "data", "[]"],
    [{ data: { jsnol: "x" } }, "data.jsnol", "x"],
    [{ data: [{ instruction: "a", ouput: "b" }] }, "data[0].ouput", "b"],
    [{ data: [{ messages: [{ role: "usr", content: "a" }] }] }, "data[0].messages[0].role", "usr"],
    [{ windowTokens: 1 }, "windowTokens", "1"],
    [{ tooLong: "cut" }, "tooLong", "cut"],
    [{ signal: {} }, "signal", "{}"],
  ])("of training is named with its path and value: %j", (options, option, value) => {
    expect(errorOf(() => train(options))).toMatchObject({ code: "invalid-option", option, value });
  });

  it("is a seed of more than 64 bits", () => {
    expect(errorOf(() => train({ seed: 2n ** 64n }))).toMatchObject({
      option: "seed",
      value: String(2n ** 64n),
    });
    expect(train({ seed: 2n ** 64n - 1n }).seed).toBe(2n ** 64n - 1n);
  });

  it("names the nearest one that is known", () => {
    expect(errorOf(() => train({ validation: { data, everyStep: 4 } })).message).toContain(
      "Did you mean everySteps?",
    );
    expect(errorOf(() => train({ optimizer: "adam" })).message).toContain("Did you mean adamw?");
    expect(errorOf(() => lad({ maxSpam: 2 } as never)).message).toContain("Did you mean maxSpan?");
    expect(
      errorOf(() => checkSample({ messages: "a", policy: "refin" as never }, true, () => {})).message,
    ).toContain("Did you mean refine?");
  });

  it("of a noise is one that belongs to another kind of noise", () => {
    expect(errorOf(() => train({ noise: { kind: "mask-only", maxSpan: 3 } })).message).toContain(
      "no such option",
    );
  });

  it.each([
    [{}, "messages"],
    [{ messages: "a", ids: [1] }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: "a", temperature: -1 }, "temperature"],
    [{ messages: "a", topP: 0 }, "topP"],
    [{ messages: "a", eosBias: Number.NaN }, "eosBias"],
    [
      { messages: "a", policy: llada({ blockTokens: 4, iterations: 7 }), answerTokens: 32 },
      "policy.iterations",
    ],
    [
      { messages: "a", policy: refine({ growTokens: 2 }), answerTokens: 16, canvasTokens: 8 },
      "policy.growTokens",
    ],
    [{ messages: "a", policy: { kind: "remask", sharpness: 0 } }, "policy.sharpness"],
    [{ messages: "a", policy: ar() }, "policy"],
  ])("of sampling is named: %j", (options, option) => {
    expect(errorOf(() => checkSample(options as never, true, () => {}))).toMatchObject({ option });
  });

  it("of one canvas of many is named with the canvas", () => {
    const canvases = [{ messages: "a" }, {}];
    expect(errorOf(() => checkSampleMany({ canvases }, true, () => {})).option).toBe("canvases[1].messages");
  });

  it("of questions that are data names what makes them", () => {
    const data = jsonl("questions.jsonl");
    const error = errorOf(() => checkEvaluate({ items: data } as never, true, () => {}));
    expect(error).toMatchObject({ option: "items", remedy: expect.stringContaining("base.questions(data)") });
  });

  it("of one question of an evaluation is named with the question", () => {
    const items = [{ messages: "a" }, { reference: "b" }];
    expect(errorOf(() => checkEvaluate({ items }, true, () => {})).option).toBe("items[1].messages");
  });

  it("of a runtime belongs to how it is started", () => {
    for (const device of ["gpu", "GPU", "cuda:0"]) {
      const error = errorOf(() => checkRuntime({ device: device as never }));
      expect([error.option, error.remedy]).toEqual(["device", "Did you mean cuda?"]);
    }
    expect(errorOf(() => checkRuntime({ address: "a:1" } as never)).option).toBe("token");
    expect(errorOf(() => checkRuntime({ container: "cpu", device: "cpu" } as never)).option).toBe("device");
    expect(errorOf(() => checkRuntime({ container: "cpu", port: 0 })).option).toBe("port");
  });

  it("of a base is unknown or of the wrong kind", () => {
    expect(errorOf(() => check(baseOptions, { maskToekn: "x" })).message).toContain(
      "Did you mean maskToken?",
    );
    expect(errorOf(() => check(baseOptions, { dataType: "fp8" })).option).toBe("dataType");
  });

  it.each([
    [{ sequences: [] }, "sequences"],
    [{ sequences: [{ ids: [], targets: [], weights: [] }] }, "sequences[0].ids"],
    [{ sequences: [{ ids: [1], targets: [1, 2], weights: [1] }] }, "sequences[0].targets"],
    [{ sequences: [{ ids: [1.5], targets: [1], weights: [1] }] }, "sequences[0].ids[0]"],
    [{ sequences: [{ ids: [1], targets: [-2], weights: [1] }] }, "sequences[0].targets[0]"],
    [{ sequences: [{ ids: [1], targets: [1], weights: [Number.NaN] }] }, "sequences[0].weights[0]"],
    [{ data, rows: [] }, "rows"],
  ])("of forwardBackward is named: %j", (options, option) => {
    expect(errorOf(() => checkForwardBackward(options as never))).toMatchObject({ option });
  });

  it("is more of forwardBackward than one call holds", () => {
    const sequence = { ids: [1], targets: [1], weights: [1] };
    const most = { sequences: Array(4096).fill(sequence) };
    expect(checkForwardBackward(most)).toMatchObject({ attention: "full" });
    for (const [options, option] of [
      [{ sequences: Array(4097).fill(sequence) }, "sequences"],
      [{ data, rows: Array(4097).fill(0) }, "rows"],
    ] as const) {
      const refused = errorOf(() => checkForwardBackward(options as never));
      expect(refused).toMatchObject({ option, message: expect.stringContaining("from 1 to 4096") });
    }
  });

  it("of the other primitives is named", () => {
    expect(errorOf(() => checkOptimStep({} as never)).option).toBe("learningRate");
    expect(errorOf(() => checkPredict({ canvases: [{ ids: [1], answerStart: 1 }] })).option).toBe(
      "canvases[0].answerStart",
    );
    expect(errorOf(() => checkCanvas({ messages: "a", answerTokens: 4, startTokens: 5 })).option).toBe(
      "startTokens",
    );
    expect(errorOf(() => checkScore({ items: [{ continuation: "a" }] })).option).toBe("items[0].messages");
  });

  it("weights by 1/t where no t is drawn, or over tokens that are not corrupted", () => {
    const loss = { supervise: "corrupted-answer-tokens", weighting: "inverse-time" };
    expect(train({ noise: maskOnly(), loss }).loss).toMatchObject(loss);
    expect(errorOf(() => train({ loss })).message).toContain("lad noise has no time t");
    expect(
      errorOf(() => train({ noise: "mask-only", loss: { weighting: "inverse-time" } })).message,
    ).toContain("1/t weights belong to corrupted tokens");
    expect(errorOf(() => checkValidate({ data, loss: loss as never })).option).toBe("loss.weighting");
  });

  it("is a custom noise that is no function", () => {
    expect(errorOf(() => customNoise(3 as never)).option).toBe("customNoise");
  });
});

describe("a setting without effect", () => {
  it("is told when steps are given beside epochs", () => {
    expect(train({ steps: 4, epochs: 2 }).warnings).toEqual(["epochs is ignored: steps is given (4)."]);
  });

  it("is told when a constant schedule has a final fraction", () => {
    expect(train({ decay: "constant", finalFraction: 0.1 }).warnings).toHaveLength(1);
  });

  it("is told when there is no tail, or it is not supervised", () => {
    const tailWeight = 0.5;
    expect(train({ loss: { tail: false, tailWeight } }).warnings).toEqual([
      "loss.tailWeight is ignored: loss.tail is false, and the tail is not supervised.",
    ]);
    const without = { padToWindow: false, padTokens: ["[USER]"], loss: { tail: false, tailWeight } };
    expect(train(without).warnings).toEqual([
      "loss.tail is ignored: without padToWindow there is no tail.",
      "loss.tailWeight is ignored: without padToWindow there is no tail.",
      "padTokens is ignored: without padToWindow there is no tail.",
    ]);
    expect(train({ loss: { tailWeight }, padTokens: ["[USER]"] }).warnings).toEqual([]);
  });

  it("is told when the most probable token is taken anyway", () => {
    const warnings: string[] = [];
    checkSample({ messages: "a", topK: 5 }, true, (text) => warnings.push(text));
    expect(warnings).toEqual(["topK is ignored: at temperature 0 the most probable token is taken."]);
  });

  it("is told when a warm-up never ends", () => {
    const warnings: string[] = [];
    scheduleFor(train({ warmupSteps: 10 }).schedule, 9, (text) => warnings.push(text));
    expect(warnings[0]).toContain("the learning rate never reaches its peak");
    scheduleFor(train({ warmupSteps: 10 }).schedule, 10, (text) => warnings.push(text));
    expect(warnings).toHaveLength(1);
  });

  it("warms up for a tenth of a short run, for 100 steps of a long one, and as long as it is told", () => {
    const fitting = (steps: number, warmupSteps?: number) =>
      scheduleFor(train({ warmupSteps }).schedule, steps, () => {}).warmupSteps;
    expect([fitting(3), fitting(400), fitting(1000), fitting(100_000)]).toEqual([0, 40, 100, 100]);
    expect([fitting(100_000, 0), fitting(3, 100)]).toEqual([0, 100]);
  });
});
