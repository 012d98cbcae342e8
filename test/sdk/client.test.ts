import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { Client } from "../../sdk/src/client.js";
import { LadError } from "../../sdk/src/errors.js";
import { InMemoryTransport } from "../../sdk/src/testing/in-memory-transport.js";
import {
  AdaptersService,
  DataService,
  healthCheck,
  RunsService,
  TrainingService,
  WorkerService,
} from "../../sdk/src/wire.js";

/** A method that fails so many times before it answers. */
function flaky(failures: number, code: "unavailable" | "internal" = "unavailable") {
  let calls = 0;
  const transport = new InMemoryTransport().onCall(RunsService.listRuns, () => {
    if (++calls <= failures) throw new LadError(code, "not now.");
    return { runs: [] };
  });
  return { client: new Client(transport, () => {}), transport, calls: () => calls };
}

describe("an idempotent call", () => {
  it("is sent again while the worker is out of reach", async () => {
    const { client, calls } = flaky(2);
    await expect(client.call(RunsService.listRuns, {})).resolves.toEqual({ runs: [] });
    expect(calls()).toBe(3);
  });

  it("is given up after four tries", async () => {
    const { client, calls } = flaky(9);
    await expect(client.call(RunsService.listRuns, {})).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(calls()).toBe(4);
  });

  it("is not sent again when the worker answered with an error", async () => {
    const { client, calls } = flaky(1, "internal");
    await expect(client.call(RunsService.listRuns, {})).rejects.toMatchObject({
      code: "internal",
    });
    expect(calls()).toBe(1);
  });

  it("stops waiting for the next try when its signal is aborted", async () => {
    const { client } = flaky(9);
    const signal = AbortSignal.timeout(60);
    const started = performance.now();
    await expect(client.call(RunsService.listRuns, {}, { signal })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(performance.now() - started).toBeLessThan(600);
  });
});

it("any other call is sent once", async () => {
  let calls = 0;
  const transport = new InMemoryTransport().onCall(AdaptersService.deleteCheckpoint, () => {
    calls += 1;
    throw new LadError("unavailable", "not now.");
  });
  const call = new Client(transport, () => {}).call(AdaptersService.deleteCheckpoint, { name: "n" });
  await expect(call).rejects.toMatchObject({ code: "unavailable" });
  expect(calls).toBe(1);
});

describe("a busy worker", () => {
  function busy(refusals: number) {
    const at: number[] = [];
    const transport = new InMemoryTransport().onCall(RunsService.listRuns, () => {
      at.push(performance.now());
      if (at.length <= refusals) throw new LadError("busy", "As much as is admitted.", { retryAfterMs: 60 });
      return { runs: [] };
    });
    return { client: new Client(transport, () => {}), at };
  }

  it("is asked again after as long as it says, whatever the call: it has done nothing", async () => {
    const { client, at } = busy(2);
    await expect(client.call(RunsService.listRuns, {})).resolves.toEqual({ runs: [] });
    expect(at).toHaveLength(3);
    const gaps = at.slice(1).map((time, i) => time - (at[i] as number));
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(55);
  });

  it("that stays busy is an error that carries the hint", async () => {
    const { client, at } = busy(99);
    await expect(client.call(RunsService.listRuns, {})).rejects.toMatchObject({
      code: "busy",
      retryAfterMs: 60,
    });
    expect(at).toHaveLength(6);
  });
});

describe("an upload that a busy worker refuses", () => {
  const PIECES = ["a", "b", "c"];

  /** Refuses after the first piece, so many times; what came with the last try. */
  function busy(refusals: number) {
    const got: string[][] = [];
    const transport = new InMemoryTransport().onUpload(DataService.uploadDataset, async (requests) => {
      const pieces: string[] = [];
      got.push(pieces);
      for await (const { data } of requests) {
        pieces.push(String(data));
        if (got.length <= refusals) throw new LadError("busy", "Later.", { retryAfterMs: 30 });
      }
      return { datasetId: "d", examples: 3n };
    });
    return { client: new Client(transport, () => {}), got };
  }

  const pieces = async function* () {
    for (const piece of PIECES) yield { data: Buffer.from(piece) };
  };

  it("is sent again, from its first piece on, whether or not it may arrive twice", async () => {
    const { client, got } = busy(2);
    await expect(client.upload(DataService.uploadDataset, pieces)).resolves.toMatchObject({ examples: 3n });
    expect(got).toEqual([["a"], ["a"], PIECES]);
  });

  it("for long is an error that carries the hint", async () => {
    const { client, got } = busy(99);
    const upload = client.upload(DataService.uploadDataset, pieces);
    await expect(upload).rejects.toMatchObject({ code: "busy", retryAfterMs: 30 });
    expect(got).toHaveLength(6);
  });

  it("ends with its time limit", async () => {
    const { client, got } = busy(99);
    const upload = client.within(45).upload(DataService.uploadDataset, pieces);
    await expect(upload).rejects.toMatchObject({ code: "timeout", value: "45" });
    expect(got.length).toBeLessThan(6);
  });
});

describe("a time limit", () => {
  const silent = () => {
    const transport = new InMemoryTransport().onCall(
      RunsService.listRuns,
      () => new Promise<never>(() => {}),
    );
    return new Client(transport, () => {});
  };

  it("ends a call with the error timeout, which names the option and the value", async () => {
    const started = performance.now();
    const call = silent().within(60).call(RunsService.listRuns, {});
    await expect(call).rejects.toMatchObject({ code: "timeout", option: "timeoutMs", value: "60" });
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it("is one for all that a method asks, from when it was given", async () => {
    const client = silent().within(100);
    await sleep(70);
    const first = client.call(RunsService.listRuns, {});
    await expect(first).rejects.toMatchObject({ code: "timeout", value: "100" });
    const started = performance.now();
    await expect(client.call(RunsService.listRuns, {})).rejects.toMatchObject({
      code: "timeout",
      value: "100",
    });
    expect(performance.now() - started).toBeLessThan(90);
  });

  it("cuts the tries of an idempotent call short, and is told as what ended it", async () => {
    const { client, calls } = flaky(9);
    const call = client.within(50).call(RunsService.listRuns, {});
    await expect(call).rejects.toMatchObject({ code: "timeout", value: "50" });
    await sleep(400);
    expect(calls()).toBe(1);
  });

  it.each([0, Number.POSITIVE_INFINITY])(
    "of %d is none, nor is the worker asked whether it lives",
    async (timeoutMs) => {
      const transport = new InMemoryTransport()
        .onCall(TrainingService.optimStep, () => sleep(500, { gradientNorm: 2, step: 1n }))
        .onCall(healthCheck, () => new Promise<never>(() => {}));
      const client = new Client(transport, () => {}, { silenceMs: 20, answerMs: 20 });
      const request = {
        adapterId: "a",
        optimizer: undefined,
        learningRate: 0,
        maxGradientNorm: 0,
        sequence: 1n,
      };
      const call = client.within(timeoutMs).call(TrainingService.optimStep, request);
      await expect(call).resolves.toMatchObject({ gradientNorm: 2 });
    },
  );

  it("is 30 s for a question whose caller gives none", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const call = silent().call(RunsService.listRuns, {});
      const ended = expect(call).rejects.toMatchObject({ code: "timeout", value: "30000" });
      await vi.advanceTimersByTimeAsync(30_001);
      await ended;
    } finally {
      vi.useRealTimers();
    }
  });

  it("leaves the caller's signal its own reason, and no listener on it", async () => {
    const abort = new AbortController();
    const call = silent().within(5_000).call(RunsService.listRuns, {}, { signal: abort.signal });
    abort.abort("enough");
    await expect(call).rejects.toMatchObject({ code: "cancelled", cause: "enough" });
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
  });
});

it("nothing is sent again once the client is closed", async () => {
  const { client, calls } = flaky(0);
  client.close();
  await expect(client.call(RunsService.listRuns, {})).rejects.toMatchObject({
    code: "unavailable",
  });
  expect(calls()).toBe(0);
});

it("a method that the worker does not know is a mismatch of versions", async () => {
  const client = new Client(new InMemoryTransport(), () => {});
  await expect(client.call(WorkerService.getInfo, {})).rejects.toMatchObject({ code: "version-mismatch" });
});
