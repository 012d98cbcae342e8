import { existsSync, readFileSync } from "node:fs";
import { chmod, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { LadError, Runtime, type WorkerError } from "../../../sdk/src/index.js";
import { checkRuntime, type LocalOptions } from "../../../sdk/src/options.js";
import { startWorkerProcess } from "../../../sdk/src/worker/process.js";
import type { Worker } from "../../../sdk/src/worker/worker.js";
import { testFolder } from "../support/folders.js";

/** A program in place of Python: a shell script that is given the worker's arguments. */
async function program(script: string): Promise<string> {
  const path = join(testFolder(), "python");
  await writeFile(path, `#!/bin/bash\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const running: Worker[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop()));
});

async function start(script: string, options: LocalOptions = {}): Promise<Worker & { lines: string[] }> {
  const lines: string[] = [];
  const onLog = (line: string) => lines.push(line);
  const checked = checkRuntime({ python: await program(script), onLog, stopGraceMs: 300, ...options });
  if (checked.kind !== "local") throw new Error("not a process");
  const worker = await startWorkerProcess(checked.options);
  running.push(worker);
  return Object.assign(worker, { lines });
}

/** A zombie, which only waits for its parent to look, is dead. */
function isAlive(pid: number | undefined): boolean {
  try {
    if (pid === undefined || !process.kill(pid, 0)) return false;
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const untilLost = (worker: Worker): Promise<WorkerError> =>
  new Promise((resolve) =>
    worker.lost.addEventListener("abort", () => resolve(worker.lost.reason as WorkerError)),
  );

describe("a worker's process", () => {
  it("gets its token on standard input and not as an argument", async () => {
    const worker = await start('read -r token; echo "args $*" >&2; printf %s "$token" | wc -c >&2; sleep 30');
    await expect.poll(() => worker.lines.length, { timeout: 10_000 }).toBe(2);
    expect(worker.lines[1]).toBe("64");
    expect(worker.lines[0]).toContain("-m lad_runtime --socket");
    expect(worker.lines[0]).toContain("--token-stdin");
    expect(worker.lines[0]).not.toContain(worker.token);
  });

  it("listens in a folder that is this user's alone, with a path short enough to bind", async () => {
    const worker = await start("sleep 30");
    const socket = worker.address.replace("unix://", "");
    expect(worker.address).toMatch(/^unix:\/\/\//);
    expect(socket.length).toBeLessThanOrEqual(100);
    expect((await stat(join(socket, ".."))).mode & 0o777).toBe(0o700);
  });

  it("leads a process group of its own, all of which ends with it", async () => {
    const worker = await start('sleep 31 & echo "child $!" >&2; wait');
    await expect.poll(() => worker.lines.length, { timeout: 10_000 }).toBe(1);
    const child = Number(worker.lines[0]?.split(" ")[1]);
    expect(isAlive(child)).toBe(true);
    await worker.stop();
    await expect.poll(() => isAlive(child), { timeout: 10_000 }).toBe(false);
    expect(isAlive(worker.pid)).toBe(false);
  });

  it("is asked to stop first, and killed when it does not", async () => {
    const polite = await start('trap "echo bye >&2; exit 0" TERM; echo up >&2; while :; do sleep 0.05; done');
    await expect.poll(() => polite.lines, { timeout: 10_000 }).toContain("up");
    await polite.stop();
    expect(polite.lines).toContain("bye");
    const deaf = await start('trap "" TERM; echo up >&2; while :; do sleep 0.05; done');
    await expect.poll(() => deaf.lines, { timeout: 10_000 }).toContain("up");
    const started = performance.now();
    await deaf.stop();
    expect(performance.now() - started).toBeGreaterThan(250);
    expect(isAlive(deaf.pid)).toBe(false);
    expect(deaf.lost.aborted).toBe(false);
  });

  it("leaves no folder behind", async () => {
    const worker = await start("sleep 30");
    const folder = join(worker.address.replace("unix://", ""), "..");
    await worker.stop();
    await expect(readdir(folder)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("sees the end of its standard input when this process goes", async () => {
    const worker = await start('read -r token; echo up >&2; cat > /dev/null; echo "eof" >&2');
    await expect.poll(() => worker.lines, { timeout: 10_000 }).toContain("up");
    expect(worker.lines).not.toContain("eof"); // the pipe is held open for as long as the worker is wanted
    expect(worker.lost.aborted).toBe(false);
  });
});

describe("a worker that ends unasked", () => {
  it("is known to be lost at once, with its last words", async () => {
    const worker = await start('echo "one" >&2; echo "two" >&2; sleep 0.3; exit 3');
    const error = await untilLost(worker);
    expect(error).toMatchObject({ code: "worker-died", exitCode: 3, log: ["one", "two"] });
    expect(error.message).toContain("exit code 3");
    expect(error.message).toContain("  two");
  });

  it("for want of a package asks for the set-up", async () => {
    const script = `echo "Traceback:" >&2; echo "ModuleNotFoundError: No module named 'grpc'" >&2; exit 1`;
    const error = await untilLost(await start(script));
    expect(error).toMatchObject({
      code: "setup-required",
      message: expect.stringContaining("no package grpc. Run"),
    });
  });

  it("is told from one that was killed", async () => {
    const worker = await start("sleep 30");
    await sleep(100);
    process.kill(worker.pid as number, "SIGKILL");
    expect(await untilLost(worker)).toMatchObject({ code: "worker-died", signal: "SIGKILL" });
  });

  it("is not waited for when a grandchild holds its log open", async () => {
    const worker = await start("sleep 20 & exit 4");
    const started = performance.now();
    expect(await untilLost(worker)).toMatchObject({ exitCode: 4 });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("a start that fails", () => {
  it("shows the reason and the last lines of the log", async () => {
    const python = await program('echo "ImportError: no torch" >&2; exit 1');
    const error = await Runtime.start({ python }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "worker-start-failed", exitCode: 1, log: ["ImportError: no torch"] });
    expect((error as Error).message).toBe(
      "The worker ended while it was starting (exit code 1).\nThe last lines of its log:\n  ImportError: no torch",
    );
  });

  it("by its time is told with the log so far, and ends the process", async () => {
    const python = await program('echo "pid $$" >&2; sleep 60');
    const error = await Runtime.start({ python, startTimeoutMs: 700, stopGraceMs: 100 }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: "worker-start-failed" });
    expect((error as Error).message).toContain("did not answer within 700 ms");
    const pid = Number((error as WorkerError).log[0]?.split(" ")[1]);
    expect(isAlive(pid)).toBe(false);
  });

  it("by its signal ends the process", async () => {
    const python = await program("sleep 60");
    const signal = AbortSignal.timeout(300);
    await expect(Runtime.start({ python, signal, stopGraceMs: 100 })).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  it("names a Python that is not there", async () => {
    const error = await Runtime.start({ python: "/no/such/python" }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LadError);
    expect(error).toMatchObject({ code: "setup-failed", option: "python", value: "/no/such/python" });
  });

  it("names an address where nobody answers", async () => {
    const options = { address: "127.0.0.1:9", token: "x".repeat(16), startTimeoutMs: 400 };
    await expect(Runtime.start(options)).rejects.toMatchObject({ code: "timeout", option: "startTimeoutMs" });
  });

  it("names a port that another program listens on", async () => {
    const { createServer } = await import("node:net");
    const server = createServer().listen(0, "127.0.0.1");
    const { port } = (await new Promise<unknown>((r) =>
      server.once("listening", () => r(server.address())),
    )) as {
      port: number;
    };
    await expect(Runtime.start({ container: "cpu", port })).rejects.toMatchObject({
      code: "port-in-use",
      option: "port",
      value: String(port),
    });
    server.close();
  });
});
