import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withLock } from "../../../sdk/src/setup/lock.mjs";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lad-lock-"));
  path = join(folder, "deep/lock");
});

afterEach(() => rmSync(folder, { recursive: true }));

it("lets one at a time in, and everyone in the end", async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 4 }, () => withLock(path, work)));
  expect(most).toBe(1);
  expect(existsSync(path)).toBe(false);
});

it("lets go when the work fails", async () => {
  await expect(withLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(withLock(path, async () => "yes")).resolves.toBe("yes");
});

it("tells once who is being waited for", async () => {
  const told: number[] = [];
  const slow = withLock(path, () => new Promise((resolve) => setTimeout(resolve, 500)));
  await withLock(
    path,
    async () => {},
    (holder) => told.push(holder),
  );
  await slow;
  expect(told).toEqual([process.pid]);
});

it("takes over the lock of a process that died", async () => {
  const gone = await execa(process.execPath, ["-p", "process.pid"]);
  await withLock(path, async () => {});
  writeFileSync(path, gone.stdout);
  await expect(withLock(path, async () => "mine")).resolves.toBe("mine");
});

it("takes over a lock that its maker never wrote its number into", async () => {
  await withLock(path, async () => {});
  writeFileSync(path, "");
  const longAgo = Date.now() / 1000 - 60;
  utimesSync(path, longAgo, longAgo);
  await expect(withLock(path, async () => "mine")).resolves.toBe("mine");
});
