import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { Client } from "../../../sdk/src/client.js";
import { InMemoryTransport } from "../../../sdk/src/testing/in-memory-transport.js";
import { DataService, healthCheck, RunsService, TrainingService } from "../../../sdk/src/wire.js";

const QUICK = { silenceMs: 50, answerMs: 500 };
const never = () => new Promise<never>(() => {});
const step = { adapterId: "a", optimizer: undefined, learningRate: 0, maxGradientNorm: 0, sequence: 1n };

/** A worker that never answers an optimizer step; `answers`: how often it says that it lives, before it falls silent. */
function worker(answers = Number.POSITIVE_INFINITY) {
  let asked = 0;
  const transport = new InMemoryTransport()
    .onCall(TrainingService.optimStep, never)
    .onCall(healthCheck, () => (++asked <= answers ? { status: "SERVING" } : never()));
  return { transport, client: new Client(transport, () => {}, QUICK), asked: () => asked };
}

it("a call that waits for the device goes on for as long as the worker says that it lives", async () => {
  const { client, asked } = worker();
  const abort = new AbortController();
  const call = client.call(TrainingService.optimStep, step, { signal: abort.signal });
  setTimeout(() => abort.abort(), 900);
  await expect(call).rejects.toMatchObject({ code: "cancelled" });
  expect(asked()).toBeGreaterThan(2);
});

it("ends with the error timeout once the worker no longer answers, which is asked twice", async () => {
  const { client, asked } = worker(2);
  const call = client.call(TrainingService.optimStep, step);
  await expect(call).rejects.toMatchObject({ code: "timeout", option: "timeoutMs", value: "1050" });
  await expect(call).rejects.toThrow(
    /OptimStep was given up: the worker has not answered anything for 1.05 s/,
  );
  expect(asked()).toBe(4);
});

it("is asked together for all calls that wait", async () => {
  const { client, asked } = worker(0);
  const calls = Array.from({ length: 30 }, () => client.call(TrainingService.optimStep, step));
  const ends = await Promise.allSettled(calls);
  expect(ends.every(({ status }) => status === "rejected")).toBe(true);
  expect(asked()).toBe(2);
});

it("a worker without the health service, or out of reach, is the call's own matter", async () => {
  const transport = new InMemoryTransport().onCall(TrainingService.optimStep, () =>
    sleep(400, { gradientNorm: 1, step: 1n }),
  );
  const client = new Client(transport, () => {}, QUICK);
  await expect(client.call(TrainingService.optimStep, step)).resolves.toMatchObject({ gradientNorm: 1 });
});

it("a stream that brings something is not asked for; one that falls silent with its worker ends", async () => {
  let asked = 0;
  const transport = new InMemoryTransport()
    .onStream(RunsService.streamEvents, async function* () {
      for (let seq = 0n; seq < 8n; seq++) {
        yield { seq, time: 0, event: { $case: "paused" as const, value: { steps: 1n } } };
        await sleep(50);
      }
      await never();
    })
    .onCall(healthCheck, () => {
      asked++;
      return never();
    });
  const client = new Client(transport, () => {}, { silenceMs: 2_000, answerMs: 50 });
  const seen: bigint[] = [];
  const read = async () => {
    for await (const { seq } of client.stream(RunsService.streamEvents, { runId: "r", fromSeq: 0n })) {
      seen.push(seq);
      if (seq === 7n) expect(asked).toBe(0);
    }
  };
  await expect(read()).rejects.toMatchObject({ code: "timeout", option: "timeoutMs" });
  expect(seen).toHaveLength(8);
  expect(transport.openStreams).toBe(0);
});

it("an upload to a silent worker ends", async () => {
  const transport = new InMemoryTransport()
    .onUpload(DataService.uploadDataset, never)
    .onCall(healthCheck, never);
  const client = new Client(transport, () => {}, QUICK);
  const pieces = async function* () {
    yield { data: Buffer.from("{}") };
  };
  await expect(client.upload(DataService.uploadDataset, pieces)).rejects.toMatchObject({ code: "timeout" });
});

it("leaves no timer behind when the call has ended", async () => {
  let asked = 0;
  const transport = new InMemoryTransport()
    .onCall(TrainingService.optimStep, () => ({ gradientNorm: 1, step: 1n }))
    .onCall(healthCheck, () => {
      asked++;
      return { status: "SERVING" };
    });
  const client = new Client(transport, () => {}, QUICK);
  await client.call(TrainingService.optimStep, step);
  await sleep(200);
  expect(asked).toBe(0);
});
