import { describe, expect, it } from "vitest";
import { Client } from "../../sdk/src/client.js";
import { LadError } from "../../sdk/src/errors.js";
import { InMemoryTransport } from "../../sdk/src/testing/in-memory-transport.js";
import { RunsService, WorkerService } from "../../sdk/src/wire.js";

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
    await expect(client.call(RunsService.listRuns, {}, { idempotent: true })).resolves.toEqual({ runs: [] });
    expect(calls()).toBe(3);
  });

  it("is given up after four tries", async () => {
    const { client, calls } = flaky(9);
    await expect(client.call(RunsService.listRuns, {}, { idempotent: true })).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(calls()).toBe(4);
  });

  it("is not sent again when the worker answered with an error", async () => {
    const { client, calls } = flaky(1, "internal");
    await expect(client.call(RunsService.listRuns, {}, { idempotent: true })).rejects.toMatchObject({
      code: "internal",
    });
    expect(calls()).toBe(1);
  });

  it("stops waiting for the next try when its signal is aborted", async () => {
    const { client } = flaky(9);
    const signal = AbortSignal.timeout(60);
    const started = performance.now();
    await expect(client.call(RunsService.listRuns, {}, { idempotent: true, signal })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(performance.now() - started).toBeLessThan(600);
  });
});

it("any other call is sent once", async () => {
  const { client, calls } = flaky(1);
  await expect(client.call(RunsService.listRuns, {})).rejects.toMatchObject({ code: "unavailable" });
  expect(calls()).toBe(1);
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

it("nothing is sent again once the client is closed", async () => {
  const { client, calls } = flaky(0);
  client.close();
  await expect(client.call(RunsService.listRuns, {}, { idempotent: true })).rejects.toMatchObject({
    code: "unavailable",
  });
  expect(calls()).toBe(0);
});

it("a method that the worker does not know is a mismatch of versions", async () => {
  const client = new Client(new InMemoryTransport(), () => {});
  await expect(client.call(WorkerService.getInfo, {})).rejects.toMatchObject({ code: "version-mismatch" });
});
