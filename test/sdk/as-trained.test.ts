import { describe, expect, it } from "vitest";
import { SpeculativeDecided } from "../../sdk/src/gen/lad/v1/sampling.js";
import { AttentionMode, TrainingContext } from "../../sdk/src/gen/lad/v1/training.js";
import type { AdapterClaims as ClaimsMessage } from "../../sdk/src/gen/lad/v1/worker.js";
import { gap } from "../../sdk/src/index.js";
import { AdaptersService, SamplingService, toFloat32Bytes } from "../../sdk/src/wire.js";

import { stubWorker } from "./support/stub-worker.js";

const claims: ClaimsMessage = {
  baseName: "stub",
  baseRevision: "r",
  attention: AttentionMode.CAUSAL_PREFIX,
  context: "prompt",
  noise: { kind: { $case: "maskOnly", value: { tailNoise: true, minTime: 0.5 } } },
  loss: { supervise: 2, tail: true, tailWeight: 1, weighting: 1 },
  maskToken: "[MASK]",
  eosToken: "[EOS]",
  stopTokens: ["[EOS]"],
  chatTemplateDigest: "",
  steps: 500n,
  version: "0.1.0",
  windowTokens: 60,
  canvasTokens: 0,
  padTokens: [],
};

/** A worker whose adapter was trained so by the time that it is asked for. */
async function trained(fields: Partial<ClaimsMessage> | undefined) {
  const worker = await stubWorker();
  const spec = { rank: 4, alpha: 4, targets: ["q_proj"], dropout: 0, seed: 0n, useRslora: false };
  const said = { id: "adapter-1", baseId: "base-1", spec, parameterCount: 5n, bytes: 20n, steps: 0n };
  const message = { ...said, lastSequence: 0n, claims: fields && { ...claims, ...fields } };
  worker.transport.onCall(AdaptersService.getAdapter, () => ({ adapter: message }));
  worker.transport.onCall(AdaptersService.snapshotAdapter, () => ({ snapshot: message }));
  worker.transport.onCall(SamplingService.predict, ({ canvases }) => ({
    predictions: canvases.map(({ ids, answerStart }) => {
      const ones = toFloat32Bytes(ids.slice(answerStart).map(() => 1));
      const none = Buffer.alloc(0);
      const drawn = { ids: ids.slice(answerStart), confidences: ones, entropies: ones, standing: ones };
      return { ...drawn, topIds: [], topProbabilities: none, logits: none };
    }),
  }));
  const sampled = () =>
    worker.transport.requestsOf(SamplingService.startSampling).map(({ spec: sent }) => sent?.attention);
  return { ...worker, sampled };
}

describe("an adapter's claims", () => {
  it("are values of this package's words", async () => {
    const { adapter } = await trained({});
    expect(adapter.info.claims).toBeUndefined();
    expect((await adapter.refresh()).claims).toEqual({
      ...claims,
      attention: "causal-prefix",
      noise: { kind: "mask-only", tailNoise: true, minTime: 0.5 },
      loss: { supervise: "all-answer-tokens", tail: true, tailWeight: 1, weighting: "uniform" },
      steps: 500,
    });
  });

  it("say nothing of noise and loss for sequences of one's own making", async () => {
    const { adapter } = await trained({ noise: undefined, loss: undefined });
    const { claims: read } = await adapter.refresh();
    expect([read?.noise, read?.loss]).toEqual([undefined, undefined]);
  });
});

describe("the length of an answer that was not said", () => {
  const sizes = ({ transport }: Awaited<ReturnType<typeof trained>>) =>
    transport
      .requestsOf(SamplingService.startSampling)
      .map(({ spec }) => [spec?.answerTokens, spec?.windowTokens]);
  const own = ({ transport }: Awaited<ReturnType<typeof trained>>) =>
    transport
      .requestsOf(SamplingService.startSampling)
      .map(({ canvases }) => canvases.map(({ size }) => size && [size.answerTokens, size.windowTokens]));

  it("is each answer's own, whatever others there are", async () => {
    const worker = await trained({});
    const long = Array<number>(70).fill(6);
    const canvases = [{ ids: [5] }, { ids: [5], answer: [[6], gap(3)] }, { ids: [5], draft: long }];
    await worker.adapter.sampleMany({ canvases }).start();
    await worker.adapter.sampleMany({ canvases: canvases.slice(1) }).start();
    await worker.adapter.sampleMany({ canvases, answerTokens: 80 }).start();
    expect(sizes(worker)).toEqual([
      [0, 60],
      [5, 0],
      [80, 0],
    ]);
    expect(own(worker)).toEqual([
      [undefined, [5, 0], [70, 60]],
      [undefined, [70, 60]],
      [undefined, undefined, undefined],
    ]);
  });

  it("is what the prompt leaves of the windows that the adapter was trained in", async () => {
    const worker = await trained({});
    await worker.adapter.sample({ ids: [5] }).start();
    await worker.adapter.sample({ ids: [5], policy: "speculative" }).start();
    await worker.adapter.sampleMany({ canvases: [{ ids: [5] }, { ids: [5], draft: [6, 7] }] }).start();
    expect(sizes(worker)).toEqual([
      [0, 60],
      [0, 60],
      [0, 60],
    ]);
    expect(own(worker).at(-1)).toEqual([undefined, [2, 60]]);
  });

  it("is 64, or a draft's, where the windows are not known", async () => {
    const [worker, other] = [await trained(undefined), await trained({ windowTokens: 0 })];
    await worker.adapter.sample({ ids: [5] }).start();
    await worker.adapter.sample({ ids: [5], draft: Array<number>(70).fill(6) }).start();
    await worker.base.sample({ ids: [5], policy: "ar" }).start();
    await other.adapter.sample({ ids: [5] }).start();
    expect(sizes(worker)).toEqual([
      [64, 0],
      [70, 0],
      [64, 0],
    ]);
    expect(sizes(other)).toEqual([[64, 0]]);
  });

  it("is that of an answer in pieces, with one position for the end, whatever the windows", async () => {
    const worker = await trained({});
    await worker.adapter.sample({ ids: [5], answer: [[6], gap(3)] }).start();
    expect(sizes(worker)).toEqual([[5, 0]]);
  });

  it("is what was said, if it was", async () => {
    const worker = await trained({});
    await worker.adapter.sample({ ids: [5], answerTokens: 7 }).start();
    expect(sizes(worker)).toEqual([[7, 0]]);
  });
});

describe("the canvases of an answer", () => {
  const sizes = ({ transport }: Awaited<ReturnType<typeof trained>>) =>
    transport.requestsOf(SamplingService.startSampling).map(({ spec }) => spec?.canvasTokens);

  it("are as long as those that the adapter was trained in, unless another length is given", async () => {
    const worker = await trained({ context: "random-split", canvasTokens: 8 });
    await worker.adapter.sample({ ids: [5] }).start();
    await worker.adapter.sample({ ids: [5], policy: "speculative" }).start();
    await worker.adapter.sample({ ids: [5], canvasTokens: 0 }).start();
    await worker.adapter.sample({ ids: [5], canvasTokens: 3 }).start();
    await worker.base.sample({ ids: [5], policy: "ar" }).start();
    expect(sizes(worker)).toEqual([8, 8, 0, 3, 0]);
  });

  it("have the last finished token before them where the adapter was trained so and the mode has a past", async () => {
    const worker = await trained({ context: "random-split", canvasTokens: 8 });
    const other = await trained({});
    await worker.adapter.sample({ ids: [5] }).start();
    await worker.adapter.sample({ ids: [5], attention: "full" }).start();
    await worker.base.sample({ ids: [5], policy: "ar" }).start();
    await other.adapter.sample({ ids: [5] }).start();
    const contexts = [worker, other].flatMap(({ transport }) =>
      transport.requestsOf(SamplingService.startSampling).map(({ spec }) => spec?.context),
    );
    expect(contexts).toEqual([
      TrainingContext.RANDOM_SPLIT,
      TrainingContext.PROMPT,
      TrainingContext.PROMPT,
      TrainingContext.PROMPT,
    ]);
  });

  it("are refused where the first has no room for what is given, with the option that leaves it out", async () => {
    const worker = await trained({ context: "random-split", canvasTokens: 2 });
    const run = worker.adapter.sample({ ids: [5], draft: [6, 7, 8] });
    await expect(run.start()).rejects.toThrow("Give canvasTokens: 0, or what the first canvas holds.");
  });
});

describe("sampling an adapter", () => {
  it("attends as it was trained, without a warning", async () => {
    const { adapter, sampled, warnings } = await trained({});
    await adapter.sample({ messages: "a" }).start();
    await adapter.sampleMany({ canvases: [{ messages: "a" }] }).start();
    await (await adapter.snapshot()).sample({ messages: "a" }).start();
    expect(sampled()).toEqual(Array(3).fill(AttentionMode.CAUSAL_PREFIX));
    expect(warnings).toEqual([]);
  });

  it("attends in the given mode, and warns once for each handle that it was trained in another", async () => {
    const { adapter, sampled, warnings } = await trained({});
    for (let run = 0; run < 2; run++) await adapter.sample({ messages: "a", attention: "full" }).start();
    expect(sampled()).toEqual([AttentionMode.FULL, AttentionMode.FULL]);
    const warning =
      "attention is full, and the adapter was trained with attention causal-prefix. " +
      'Leave attention out, or give attention: "causal-prefix".';
    expect(warnings).toEqual([warning]);
    await (await adapter.snapshot()).sample({ messages: "a", attention: "full" }).start();
    expect(warnings).toEqual([warning, warning]);
  });

  it.each([
    [
      { maskToken: "MASK" },
      /mask token is \[MASK\], and the adapter was trained with MASK. Load .* maskToken: "MASK"/,
    ],
    [{ chatTemplateDigest: "ab" }, /chat template is another/],
    [{ attention: AttentionMode.CAUSAL }, /attention is full, .* attention causal. Train it/],
  ])("warns of what is otherwise than in training: %j", async (fields, warning) => {
    const { adapter, warnings } = await trained(fields);
    await adapter.sample({ messages: "a" }).start();
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  it("says nothing of an adapter without claims, and attends fully", async () => {
    const { adapter, sampled, warnings } = await trained(undefined);
    await adapter.sample({ messages: "a" }).start();
    await adapter.sample({ messages: "a", attention: "prefix" }).start();
    expect(sampled()).toEqual([AttentionMode.FULL, AttentionMode.PREFIX]);
    expect(warnings).toEqual([]);
  });

  it("by a canvas attends as it was trained, too", async () => {
    const { adapter, transport } = await trained({});
    await adapter.canvas({ ids: [1], answerTokens: 2 }).predict();
    expect(transport.requestsOf(SamplingService.predict)[0]?.spec?.mode).toBe(AttentionMode.CAUSAL_PREFIX);
  });

  it("drafts with decided tokens in the past where the adapter was trained so and the mode has a past", async () => {
    const decided = async (fields: Partial<ClaimsMessage>, attention?: "full") => {
      const { adapter, transport } = await trained(fields);
      await adapter.sample({ ids: [5], policy: "speculative", answerTokens: 4, attention }).start();
      const [run] = transport.requestsOf(SamplingService.startSampling);
      const kind = run?.spec?.policy?.kind;
      return kind?.$case === "speculative" ? kind.value.decided : undefined;
    };
    const { CANVAS: canvas, PAST: past } = SpeculativeDecided;
    expect(await decided({ context: "random-split" })).toBe(past);
    expect(await decided({ context: "prompt" })).toBe(canvas);
    expect(await decided({ context: "random-split" }, "full")).toBe(canvas);
  });

  it("of the base asks no adapter", async () => {
    const { base, sampled, transport } = await trained({});
    await base.sample({ messages: "a" }).start();
    expect(sampled()).toEqual([AttentionMode.FULL]);
    expect(transport.requestsOf(AdaptersService.getAdapter)).toEqual([]);
  });
});
