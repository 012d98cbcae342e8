import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { announceWorker, servedWorker } from "lad";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

let connection: { address: string; token: string };
/** No process has it: Linux counts to 4,194,304 at the most. */
const NO_PROCESS = 2 ** 30;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lad-served-"));
  vi.stubEnv("LAD_HOME", join(home, "not", "there"));
  writeFileSync(join(home, "worker.sock"), "");
  connection = { address: `unix://${join(home, "worker.sock")}`, token: "secret" };
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

describe("a served worker", () => {
  it("is found by others of the user until it is withdrawn", async () => {
    expect(await servedWorker()).toBeUndefined();
    const { withdraw } = await announceWorker(connection);
    expect(await servedWorker()).toEqual({ connection, pid: process.pid });
    await withdraw();
    expect(await servedWorker()).toBeUndefined();
  });

  it("is noted where only the user can read its token", async () => {
    const { file } = await announceWorker(connection);
    expect(readFileSync(file, "utf8")).toContain(connection.token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is none when its process is gone, and another may then be announced", async () => {
    const { file } = await announceWorker(connection);
    writeFileSync(file, JSON.stringify({ ...connection, pid: NO_PROCESS }));
    expect(await servedWorker()).toBeUndefined();
    await announceWorker({ ...connection, token: "newer" });
    expect((await servedWorker())?.connection.token).toBe("newer");
  });

  it("is none when its socket is gone, though another process has its id", async () => {
    await announceWorker(connection);
    rmSync(join(home, "worker.sock"));
    expect(await servedWorker()).toBeUndefined();
  });

  it("keeps another process from announcing one", async () => {
    const { file } = await announceWorker(connection);
    writeFileSync(file, JSON.stringify({ ...connection, pid: process.ppid }));
    await expect(announceWorker({ ...connection, token: "mine" })).rejects.toMatchObject({
      code: "already-exists",
      message: expect.stringContaining(`Process ${process.ppid} serves a worker already`),
    });
  });

  it("withdraws nothing but its own note", async () => {
    const { file, withdraw } = await announceWorker(connection);
    writeFileSync(file, JSON.stringify({ ...connection, token: "newer", pid: process.pid }));
    await withdraw();
    expect((await servedWorker())?.connection.token).toBe("newer");
  });

  it.each(["", "{", "[]", '{"address":"a"}', '{"address":"a","token":"b","pid":"c"}'])(
    "is none where the note is %j",
    async (text) => {
      const { file } = await announceWorker(connection);
      writeFileSync(file, text);
      expect(await servedWorker()).toBeUndefined();
    },
  );

  it("tells which folder cannot be written", async () => {
    writeFileSync(join(home, "not"), "a file");
    await expect(announceWorker(connection)).rejects.toMatchObject({ code: "storage", option: "LAD_HOME" });
  });
});
