import { describe, expect, it } from "vitest";
import { StopReason } from "../../../sdk/src/gen/lad/v1/sampling.js";
import { LadError } from "../../../sdk/src/index.js";
import { RunsService } from "../../../sdk/src/wire.js";
import {
  type EventPayload,
  eventReply,
  samplingRequests,
  startedReply,
  stubWorker,
} from "../support/stub-worker.js";

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
    expect(samplingRequests(transport).map(({ spec }) => spec?.frames)).toEqual([false, true]);
  });

  it("is cancelled when its loop is left early", async () => {
    const { adapter, cancelled } = await stubWorker(script);
    for await (const _ of adapter.sample({ messages: "2 + 2" })) break;
    expect(cancelled).toEqual(["run-1"]);
  });

  it("has its stop strings beside the policy, and tells which ended the answer", async () => {
    const ended = answer(0, "four");
    if (ended.$case === "answer") Object.assign(ended.value, { stopped: StopReason.STOP, stop: "END" });
    const { adapter, transport } = await stubWorker([ended, end]);
    const told = await adapter.sample({ messages: "2 + 2", stop: "END" }).result();
    expect(told).toMatchObject({ text: "four", stopped: "stop", stop: "END" });
    await adapter.sampleMany({ canvases: [{ messages: "a" }], stop: ["\n\n", "END"] }).result();
    await adapter.evaluate({ items: [{ messages: "a" }] }).catch(() => {});
    const requests = samplingRequests(transport);
    expect(requests.map(({ spec }) => spec?.stop)).toEqual([["END"], ["\n\n", "END"], []]);
  });

  it.each([[""], [["a", ""]], ["x".repeat(257)], [Array(17).fill("x")], [3]])(
    "refuses %j as stop strings by name",
    async (stop) => {
      const { adapter } = await stubWorker();
      expect(() => adapter.sample({ messages: "a", stop: stop as string })).toThrow(/^stop.*256 characters/);
    },
  );

  it("takes 256 characters of any script", async () => {
    const { adapter } = await stubWorker(script);
    await adapter.sample({ messages: "a", stop: "🦙".repeat(256) }).result();
  });

  describe("that is started and followed in one call", () => {
    const told = (seq: number) => eventReply({ seq: BigInt(seq), time: 0, event: script[seq] });

    it("tells that it has begun, and how long its prompts are, before there is anything of it", async () => {
      const { adapter, transport } = await stubWorker(script);
      const run = adapter.sampleMany({ canvases: [{ messages: "a" }, { ids: [1, 2] }] });
      expect(await run.begin()).toEqual({ runId: "run-1", promptTokens: [3, 3] });
      const types: string[] = [];
      for await (const { type } of run) types.push(type);
      expect(types).toEqual(["frame", "frame", "answer", "sampled"]);
      expect(transport.calls.map(({ path }) => path).slice(-1)).toEqual(["/lad.v1.RunsService/Sample"]);
    });

    it("is followed on where its connection broke", async () => {
      const { adapter, transport } = await stubWorker(script);
      transport.onStream(RunsService.sample, async function* () {
        yield startedReply("run-1", [3]);
        yield told(0);
        throw new LadError("unavailable", "The wire was cut.");
      });
      const iterations: number[] = [];
      for await (const frame of adapter.sample({ messages: "a" })) iterations.push(frame.iteration);
      expect(iterations).toEqual([0, 1]);
      expect(transport.requestsOf(RunsService.streamEvents).map(({ fromSeq }) => fromSeq)).toEqual([1n]);
    });

    it("is asked for again under its id until its first reply has come", async () => {
      const { adapter, transport } = await stubWorker(script);
      let tries = 0;
      transport.onStream(RunsService.sample, async function* () {
        if (tries++ === 0) throw new LadError("unavailable", "The wire was cut.");
        yield startedReply("run-1", [3]);
        for (const seq of script.keys()) yield told(seq);
      });
      expect((await adapter.sample({ messages: "a" }).result()).text).toBe("four");
      const [first, second] = samplingRequests(transport);
      expect(second).toEqual(first);
    });

    it("ends its call when it is left before anything was read", async () => {
      const { adapter, transport, cancelled } = await stubWorker(script);
      const run = adapter.sampleMany({ canvases: [{ messages: "a" }] });
      await run.begin();
      expect(transport.openStreams).toBe(1);
      await run.cancel();
      expect(transport.openStreams).toBe(0);
      expect(cancelled).toEqual(["run-1"]);
    });
  });

  it("has the most tokens of prompt and answer, which a beginning does not take", async () => {
    const { adapter, transport } = await stubWorker(script);
    await adapter.sample({ messages: "a", answerTokens: 8, totalTokens: 20 }).result();
    expect(samplingRequests(transport)[0]?.spec).toMatchObject({
      answerTokens: 8,
      totalTokens: 20,
    });
    expect(() => adapter.sample({ messages: "a", draft: "b", totalTokens: 20 })).toThrow(
      /^totalTokens is 20: an answer that begins from something/,
    );
  });

  describe("with a time limit", () => {
    const forever = async () => {
      const worker = await stubWorker();
      worker.transport.onStream(RunsService.sample, async function* () {
        yield startedReply("run-1", [3]);
        yield eventReply({ seq: 0n, time: 0, event: frame(0, 0) });
        await new Promise(() => {});
      });
      return worker;
    };
    const late = { code: "timeout", option: "timeoutMs", value: "40" };

    it("ends with an error that names it, and ends the worker's run", async () => {
      const { adapter, cancelled } = await forever();
      const run = adapter.sample({ messages: "a", timeoutMs: 40 });
      await expect(run.result()).rejects.toMatchObject(late);
      expect(cancelled).toEqual(["run-1"]);
      await expect(run.result()).rejects.toThrow(
        /^The run run-.* took longer than 40 ms\. Give a longer timeoutMs/,
      );
    });

    it("ends the loop over its frames as well", async () => {
      const { adapter } = await forever();
      const follow = async () => {
        for await (const _ of adapter.sampleMany({ canvases: [{ messages: "a" }], timeoutMs: 40 }));
      };
      await expect(follow()).rejects.toMatchObject(late);
    });

    it("covers the whole evaluation", async () => {
      const { adapter, cancelled } = await forever();
      const evaluation = adapter.evaluate({ items: [{ messages: "a" }], timeoutMs: 40 });
      await expect(evaluation).rejects.toMatchObject(late);
      expect(cancelled).toEqual(["run-1"]);
    });

    it("leaves other runs alone, and none counts where it is 0", async () => {
      const { adapter } = await stubWorker(script);
      const limits = [0, Number.POSITIVE_INFINITY, 2 ** 31 - 1];
      const answers = limits.map((timeoutMs) => adapter.sample({ messages: "a", timeoutMs }).result());
      expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(["four", "four", "four"]);
    });
  });

  it("goes to the base itself where no adapter is on", async () => {
    const { base, adapter, transport } = await stubWorker(script);
    await base.sample({ messages: "2 + 2", policy: "ar" }).result();
    await adapter.sample({ ids: [3, 4], seed: 2n ** 64n - 1n, eosBias: Number.NEGATIVE_INFINITY }).result();
    const [bare, adapted] = samplingRequests(transport);
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
