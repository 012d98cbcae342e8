import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import {
  type Adapter,
  type NumberedEvent,
  Runtime,
  type RuntimeOptions,
  type TrainingOptions,
  WorkerError,
} from "lad";
import { describe, expect, it } from "vitest";
import { Client } from "../../sdk/src/client.js";
import { GrpcTransport } from "../../sdk/src/grpc/transport.js";
import { followEvents } from "../../sdk/src/runs/run.js";
import { AdaptersService } from "../../sdk/src/wire.js";
import { collected, EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const root = resolve(import.meta.dirname, "../..");
const scratch = scratchFolder();
const window = { data: EXAMPLES, windowTokens: 48 };
const small = { ...window, warmupSteps: 0 };
/** Goes on for as long as a test may take. */
const endless: TrainingOptions = { ...small, batchSize: 4, steps: 1_000_000 };

/** A worker of its own for each test, since most of these end it; its store is the test's, or one for all. */
function start(options: Parameters<typeof startRuntime>[1] = {}): Promise<Runtime> {
  return startRuntime(join(scratch, "state"), options);
}

async function freshAdapter(runtime: Runtime): Promise<Adapter> {
  return (await runtime.loadBase("stub")).createAdapter({ rank: 2, seed: 1 });
}

/** Whether any process of a group still runs; a dead one that nobody has waited for does not. */
async function groupRuns(group: number | undefined): Promise<boolean> {
  const { stdout } = await execa("ps", ["-eo", "pgid=,stat="]);
  return stdout.split("\n").some((line) => {
    const [pgid, state = ""] = line.trim().split(/\s+/);
    return Number(pgid) === group && !state.startsWith("Z");
  });
}

async function endsWithin(group: number | undefined, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (await groupRuns(group)) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** The error that a promise rejects with, and how long that took. */
async function failure(promise: Promise<unknown>): Promise<{ error: unknown; milliseconds: number }> {
  const started = performance.now();
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, milliseconds: performance.now() - started };
}

describe("a killed client", () => {
  it("leaves no worker and no socket behind within 2 s, training or not", async () => {
    const script = join(root, "test/e2e/support/hold-runtime.ts");
    const words = ["--import", "tsx", script, join(scratch, "held")];
    const client = execa(process.execPath, words, { cwd: root, reject: false, buffer: false });
    const lines = client.iterable()[Symbol.asyncIterator]();
    const { pid, address } = JSON.parse(String((await lines.next()).value)) as {
      pid: number;
      address: string;
    };
    expect(await groupRuns(pid)).toBe(true);
    process.kill(client.pid as number, "SIGKILL");
    expect(await endsWithin(pid, 2000)).toBe(true);
    await client;
    expect(existsSync(address.replace("unix://", ""))).toBe(false);
  });
});

describe("a killed worker", () => {
  it("is a typed error at once, for what was pending and whatever comes later", async () => {
    const runtime = await start();
    const [adapter, other] = [await freshAdapter(runtime), await freshAdapter(runtime)];
    const run = adapter.train(endless)[Symbol.asyncIterator]();
    await run.next();
    const pending = (async () => {
      while (!(await run.next()).done);
    })();
    const unary = other.forwardBackward({ ...window, rows: Array<number>(4096).fill(0) });
    await sleep(50);
    process.kill(runtime.workerPid as number, "SIGKILL");
    for (const { error, milliseconds } of await Promise.all([failure(pending), failure(unary)])) {
      expect(milliseconds).toBeLessThan(2000);
      expect(error).toBeInstanceOf(WorkerError);
      expect(error).toMatchObject({ code: "worker-died", signal: "SIGKILL" });
      expect((error as WorkerError).log.join("\n")).toContain("serving on");
      expect((error as WorkerError).message).toContain("serving on");
    }
    const later = await failure(runtime.info());
    expect(later.error).toMatchObject({ code: "worker-died" });
    expect(later.milliseconds).toBeLessThan(200);
    expect(runtime.log.join("\n")).toContain("serving on");
    await runtime.close();
    expect(existsSync(dirname(runtime.address.replace("unix://", "")))).toBe(false);
  });
});

describe("a worker that is stopped, not dead", () => {
  it("fails every call within its limit, waits with timeoutMs: 0, and goes on where it was", async () => {
    await using runtime = await start();
    const adapter = await freshAdapter(runtime);
    const { address, token } = runtime.connection;
    const transport = new GrpcTransport({ address, token });
    const client = new Client(transport, () => {}, { silenceMs: 300, answerMs: 500 });
    const worker = runtime.workerPid as number;
    const run = adapter.train({ ...endless, detached: true });
    const runId = await run.start();
    const events = async () => {
      for await (const _ of followEvents(client, runId));
    };
    process.kill(worker, "SIGSTOP");
    try {
      const limited = { timeoutMs: 400 };
      const ends = await Promise.all([
        failure(runtime.info(limited)),
        failure(adapter.refresh(limited)),
        failure(adapter.snapshot(limited)),
        failure(adapter.save(join(scratch, "never"), limited)),
        failure(runtime.loadBase("tiny", limited)),
        failure(events()),
        failure(client.call(AdaptersService.snapshotAdapter, { adapterId: adapter.id, snapshotId: "" })),
      ]);
      for (const { error, milliseconds } of ends) {
        expect(error).toMatchObject({ code: "timeout", option: "timeoutMs" });
        expect(milliseconds).toBeLessThan(10_000);
      }
      expect(existsSync(join(scratch, "never"))).toBe(false);
      const patient = runtime.info({ timeoutMs: 0 });
      await sleep(200);
      process.kill(worker, "SIGCONT");
      expect((await patient).device).toBe("cpu");
      expect((await adapter.refresh()).rank).toBe(2);
    } finally {
      process.kill(worker, "SIGCONT");
      transport.close();
    }
    await run.cancel();
  });
});

describe("a worker that is asked to stop in the middle of a run", () => {
  it("writes the checkpoint when the runtime is closed, and the run goes on in the next worker", async () => {
    const training = { ...endless, checkpoint: { name: "closed", resume: true } };
    const first = await start();
    const run = (await freshAdapter(first)).train(training)[Symbol.asyncIterator]();
    let step = 0;
    while (step < 2) {
      const { value } = await run.next();
      if (value?.type === "step") step = value.step;
    }
    await Promise.all([first.close(), first.close()]);
    await first.close();
    expect(first.log.at(-1)).toMatch(/stopped$/);
    expect(await endsWithin(first.workerPid, 1000)).toBe(true); // what the worker had started too
    expect((await failure(first.info())).error).toMatchObject({ code: "unavailable" });

    await using second = await start();
    const adapter = await freshAdapter(second);
    for await (const event of adapter.train(training)) {
      if (event.type !== "started") break;
      expect(event.fromStep).toBeGreaterThanOrEqual(step);
    }
  });

  it("writes the checkpoint on SIGTERM and ends with 0", async () => {
    await using runtime = await start();
    const adapter = await freshAdapter(runtime);
    const run = adapter.train({ ...endless, checkpoint: { name: "terminated" } });
    const types: string[] = [];
    const read = async () => {
      for await (const event of run) {
        types.push(event.type);
        if (event.type === "step" && event.step === 2) process.kill(runtime.workerPid as number, "SIGTERM");
      }
    };
    const interrupted = { code: "unavailable", message: expect.stringContaining("was interrupted") };
    await expect(read()).rejects.toMatchObject(interrupted);
    expect(types.at(-1)).toBe("checkpoint");
    await expect(run.result()).rejects.toMatchObject(interrupted);
    expect(await endsWithin(runtime.workerPid, 10_000)).toBe(true);
    const { error: later } = await failure(runtime.info());
    expect(later).toMatchObject({ code: "worker-died", exitCode: 0 });
  });
});

describe("a start that fails", () => {
  /** Stands in for Python: whatever it is told to do instead of serving. */
  function script(name: string, text: string): string {
    const path = join(scratch, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  async function startError(options: RuntimeOptions): Promise<unknown> {
    return (await failure(Runtime.start(options).then((runtime) => runtime.close()))).error;
  }

  it("names an interpreter that is not there", async () => {
    const python = join(scratch, "no/python");
    const error = await startError({ python });
    expect(error).toMatchObject({ code: "setup-failed", option: "python", value: python });
    expect(String(error)).toContain("ENOENT");
    expect(String(error)).toContain("lad setup");
  });

  it("shows the end of the log of a worker that ends while it starts", async () => {
    const python = script("ends", "for i in 1 2 3; do echo line $i >&2; done; exit 3");
    const error = await startError({ python });
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({ code: "worker-start-failed", exitCode: 3 });
    expect((error as WorkerError).log).toEqual(["line 1", "line 2", "line 3"]);
    expect((error as WorkerError).message).toContain("  line 3");
  });

  it("shows the worker's own reason", async () => {
    const error = await startError({ stateFolder: join(script("file", ""), "state") });
    expect(error).toMatchObject({ code: "worker-start-failed", exitCode: 1 });
    expect(String(error)).toMatch(/error: --state .*\/file\/state cannot be written/);
  });

  it("gives up on a worker that never answers, and ends it", async () => {
    const pidFile = join(scratch, "pid");
    const python = script("silent", `echo $$ > ${pidFile}; echo thinking >&2; sleep 600`);
    const error = await startError({ python, startTimeoutMs: 1500, stopGraceMs: 200 });
    expect(error).toMatchObject({ code: "worker-start-failed", log: ["thinking"] });
    expect(String(error)).toContain("1500 ms");
    expect(await groupRuns(Number(readFileSync(pidFile, "utf8")))).toBe(false);
  });

  it("is the caller's to give up", async () => {
    const python = script("slow", "sleep 600");
    const error = await startError({ python, signal: AbortSignal.timeout(300), stopGraceMs: 200 });
    expect(error).toMatchObject({ code: "cancelled" });
  });
});

describe("runs and the worker that computes them", () => {
  it("are a runtime's own: two side by side know nothing of each other", async () => {
    const folders = ["one", "two"].map((name) => join(scratch, name));
    const [one, two] = await Promise.all([startRuntime(folders[0] ?? ""), startRuntime(folders[1] ?? "")]);
    try {
      expect(one.workerPid).not.toBe(two.workerPid);
      const adapters = await Promise.all([freshAdapter(one), freshAdapter(two)]);
      const results = await Promise.all(
        adapters.map((adapter) => adapter.train({ ...small, steps: 2 }).result()),
      );
      expect(results[0]?.report).toEqual(results[1]?.report);
      expect(await one.runs()).toHaveLength(1);
      await one.close();
      expect((await adapters[1]?.refresh())?.steps).toBe(2);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  it("end within a step when they are cancelled or their loop is left, and are followed from any event on", async () => {
    await using runtime = await start();
    const adapter = await freshAdapter(runtime);
    /** Steps of many micro-steps, long beside whatever the machine does meanwhile. */
    const slow: TrainingOptions = { ...endless, batchSize: 1500, microBatchTokens: 1000 };

    const left = adapter.train(slow);
    let leftAt = 0;
    for await (const event of left) {
      if (event.type !== "step") continue;
      leftAt = event.step;
      break;
    }
    const leftRun = runtime.run(left.runId ?? "");
    const leftEnd = await lastOf(leftRun.events());
    expect(leftEnd.event.type).toBe("cancelled");
    expect(leftEnd.event).toMatchObject({ steps: leftAt });
    expect((await leftRun.info()).state).toBe("cancelled");
    await expect(left.result()).rejects.toMatchObject({ code: "cancelled" });

    const cancelled = adapter.train(slow);
    await cancelled.start();
    const steps: number[] = [];
    let asked = 0;
    for await (const event of cancelled) {
      if (event.type !== "step") continue;
      steps.push(event.step);
      if (steps.length > 1) continue;
      asked = performance.now();
      await cancelled.cancel();
      await cancelled.cancel();
    }
    expect(steps).toEqual([1]);
    expect(performance.now() - asked).toBeLessThan(2000);

    const again = await adapter.train({ ...small, steps: 6, batchSize: 2 }).result();
    expect(again.steps).toBe(6);
    const { id } = (await runtime.runs()).at(-1) ?? { id: "" };
    const all = await collected(runtime.run(id).events());
    expect(all.map(({ seq }) => seq)).toEqual([...all.keys()]);
    expect(await collected(runtime.run(id).events({ fromSeq: 4 }))).toEqual(all.slice(4));
    expect(await collected(runtime.run(id).events({ fromSeq: all.length - 1 }))).toEqual(all.slice(-1));
  });
});

async function lastOf(events: AsyncIterable<NumberedEvent>): Promise<NumberedEvent> {
  const all = await collected(events);
  const last = all.at(-1);
  if (last === undefined) throw new Error("a run that has ended has a last event");
  return last;
}
