import { describe, expect, it } from "vitest";
import { LadError } from "../../../sdk/src/errors.js";
import { InMemoryTransport } from "../../../sdk/src/testing/in-memory-transport.js";
import { BUILD_VERSION, PROTOCOL_VERSION } from "../../../sdk/src/version.js";
import { healthCheck, WorkerService } from "../../../sdk/src/wire.js";
import { handshake, waitUntilReady } from "../../../sdk/src/worker/health.js";

function worker(versions: { protocolVersion?: number; buildVersion?: string } = {}, unhealthy = 0) {
  let asked = 0;
  return new InMemoryTransport()
    .onCall(healthCheck, () => ({ status: ++asked > unhealthy ? "SERVING" : "NOT_SERVING" }))
    .onCall(WorkerService.handshake, () => ({
      protocolVersion: PROTOCOL_VERSION,
      buildVersion: BUILD_VERSION,
      pid: 1,
      ...versions,
    }));
}

const forever = new AbortController().signal;

describe("a worker is ready", () => {
  it("once it is healthy and speaks the same version", async () => {
    const transport = worker({}, 2);
    await waitUntilReady(transport, forever);
    expect(transport.requestsOf(healthCheck)).toHaveLength(3);
    expect(transport.requestsOf(WorkerService.handshake)).toEqual([
      { protocolVersion: PROTOCOL_VERSION, buildVersion: BUILD_VERSION },
    ]);
  });

  it("never, when it takes longer than the signal allows", async () => {
    const error = new LadError("timeout", "too late.");
    const stop = new AbortController();
    setTimeout(() => stop.abort(error), 120);
    await expect(waitUntilReady(worker({}, 1_000), stop.signal)).rejects.toBe(error);
  });

  it("never, when it refuses the token", async () => {
    const transport = worker().onCall(WorkerService.handshake, () => {
      throw new LadError("unauthenticated", "wrong token.");
    });
    await expect(waitUntilReady(transport, forever)).rejects.toMatchObject({ code: "unauthenticated" });
  });
});

describe("the handshake's error", () => {
  it("names both protocols", async () => {
    const refused = handshake(worker({ protocolVersion: PROTOCOL_VERSION + 1 }));
    await expect(refused).rejects.toMatchObject({ code: "version-mismatch" });
    await expect(refused).rejects.toThrow(
      `This client is ${BUILD_VERSION} (protocol ${PROTOCOL_VERSION}), the worker ${BUILD_VERSION} (protocol ${PROTOCOL_VERSION + 1}).`,
    );
  });

  it("names both builds", async () => {
    await expect(handshake(worker({ buildVersion: "9.9.9" }))).rejects.toThrow(/the worker 9\.9\.9/);
  });
});
