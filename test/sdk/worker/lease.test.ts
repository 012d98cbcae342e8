import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { LadError } from "../../../sdk/src/errors.js";
import { InMemoryTransport } from "../../../sdk/src/testing/in-memory-transport.js";
import { WorkerService } from "../../../sdk/src/wire.js";
import { holdLease, keepLease } from "../../../sdk/src/worker/lease.js";

/** A worker whose lease is so long, and whose streams break when told to. */
function worker(leaseSeconds: number) {
  const breaks: (() => void)[] = [];
  const transport = new InMemoryTransport().onStream(WorkerService.hold, async function* () {
    yield { leaseSeconds };
    await new Promise<void>((resolve) => breaks.push(resolve));
    throw new LadError("unavailable", "gone.");
  });
  return { transport, breakAll: () => breaks.splice(0).forEach((end) => void end()) };
}

it("a lease is held by a stream that stays open, and its end is told", async () => {
  const { transport, breakAll } = worker(10);
  const { leaseSeconds, ended } = await holdLease(transport, new AbortController().signal);
  expect(leaseSeconds).toBe(10);
  expect(transport.openStreams).toBe(1);
  await sleep(5);
  breakAll();
  expect(await ended).toMatchObject({ code: "unavailable" });
});

it("a lease that the worker never grants is given up", async () => {
  const transport = new InMemoryTransport().onStream(WorkerService.hold, async function* () {
    await new Promise<never>(() => {});
    yield { leaseSeconds: 1 };
  });
  const held = holdLease(transport, new AbortController().signal, 50);
  await expect(held).rejects.toMatchObject({ code: "timeout", value: "50" });
  expect(transport.openStreams).toBe(0);
});

it("a lease is let go with its signal", async () => {
  const { transport } = worker(10);
  const stop = new AbortController();
  const { ended } = await holdLease(transport, stop.signal);
  stop.abort();
  await ended;
  expect(transport.openStreams).toBe(0);
});

it("a lease is held again where the connection breaks", async () => {
  const { transport, breakAll } = worker(10);
  const stop = new AbortController();
  await keepLease(transport, stop.signal);
  await sleep(5);
  breakAll();
  await expect.poll(() => transport.requestsOf(WorkerService.hold).length, { timeout: 5_000 }).toBe(2);
  stop.abort();
});

it("a worker without a lease is not held again", async () => {
  const { transport, breakAll } = worker(0);
  await keepLease(transport, new AbortController().signal);
  await sleep(5);
  breakAll();
  await sleep(700);
  expect(transport.requestsOf(WorkerService.hold)).toHaveLength(1);
});
