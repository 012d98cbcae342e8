import { describe, expect, it } from "vitest";
import { StopReason } from "../../../sdk/src/gen/lad/v1/sampling.js";
import { SamplingService } from "../../../sdk/src/wire.js";
import type { EventPayload } from "../support/stub-worker.js";
import { stubWorker } from "../support/stub-worker.js";

const frame = (canvas: number, iteration: number): EventPayload => ({
  $case: "frame",
  value: {
    canvas,
    iteration,
    iterations: 2,
    edits: [{ position: 0, oldToken: 7, newToken: 1, confidence: 0.5, remasked: true, kept: false }],
    answer: [1],
    masked: 1,
  },
});
const answer = (canvas: number, text: string): EventPayload => ({
  $case: "answer",
  value: {
    canvas,
    ids: [1],
    canvasIds: [1, 0],
    text,
    iterations: 2,
    stopped: StopReason.SETTLED,
    pinned: [],
  },
});
const end: EventPayload = { $case: "samplingFinished", value: { canvases: 2, seconds: 1 } };

describe("sampling one canvas", () => {
  const script = [frame(0, 0), frame(0, 1), answer(0, "four"), end];

  it("gives frames, then the answer", async () => {
    const { adapter } = await stubWorker(script);
    const run = adapter.sample({ messages: "2 + 2" });
    const iterations: number[] = [];
    for await (const { iteration } of run) iterations.push(iteration);
    expect(iterations).toEqual([0, 1]);
    expect(await run.result()).toMatchObject({ text: "four", stopped: "settled", canvasIds: [1, 0] });
  });

  it("asks for no frames when only the answer is wanted", async () => {
    const { adapter, transport } = await stubWorker(script);
    await adapter.sample({ messages: "2 + 2" }).result();
    for await (const _ of adapter.sample({ messages: "2 + 2" }));
    expect(transport.requestsOf(SamplingService.startSampling).map(({ spec }) => spec?.frames)).toEqual([
      false,
      true,
    ]);
  });

  it("is cancelled when its loop is left early", async () => {
    const { adapter, cancelled } = await stubWorker(script);
    for await (const _ of adapter.sample({ messages: "2 + 2" })) break;
    expect(cancelled).toEqual(["run-1"]);
  });

  it("goes to the base itself where no adapter is on", async () => {
    const { base, adapter, transport } = await stubWorker(script);
    await base.sample({ messages: "2 + 2", policy: "ar" }).result();
    await adapter.sample({ ids: [3, 4], seed: 2n ** 64n - 1n, eosBias: Number.NEGATIVE_INFINITY }).result();
    const [bare, adapted] = transport.requestsOf(SamplingService.startSampling);
    expect(bare).toMatchObject({ adapterId: "", spec: { policy: { kind: { $case: "ar", value: {} } } } });
    expect(bare?.canvases[0]?.prompt).toMatchObject({ $case: "chat" });
    expect(adapted).toMatchObject({
      adapterId: "adapter-1",
      spec: { draw: { eosBias: Number.NEGATIVE_INFINITY } },
    });
    expect(adapted?.canvases[0]).toEqual({
      prompt: { $case: "ids", value: { ids: [3, 4] } },
      seed: 2n ** 64n - 1n,
    });
  });

  it("refuses the autoregressive policy on an adapter, and says where it belongs", async () => {
    const { adapter } = await stubWorker();
    expect(() => adapter.sample({ messages: "a", policy: "ar" })).toThrow(
      /base\.sample\({ policy: ar\(\), … }\)/,
    );
  });
});

describe("sampling many canvases", () => {
  const script = [frame(1, 0), answer(1, "second"), frame(0, 0), answer(0, "first"), end];

  it("gives answers in the order of the canvases, whichever was done first", async () => {
    const { adapter } = await stubWorker(script);
    const run = adapter.sampleMany({ canvases: [{ messages: "a" }, { messages: "b" }] });
    expect((await run.result()).map(({ text }) => text)).toEqual(["first", "second"]);
  });

  it("tells frames and answers as they come", async () => {
    const { adapter } = await stubWorker(script);
    const types: string[] = [];
    for await (const { type } of adapter.sampleMany({ canvases: [{ messages: "a" }, { messages: "b" }] }))
      types.push(type);
    expect(types).toEqual(["frame", "answer", "frame", "answer", "sampled"]);
  });
});
