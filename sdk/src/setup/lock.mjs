// Plain JavaScript without libraries, because sdk/bootstrap.mjs needs it before TypeScript can run and before node_modules exists.
// (proper-lockfile detects a dead process by a file's age, this module by the process number.)
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 200;
/** The locks that this process holds. Its number in any other lock file is from an earlier process with the same number. */
const held = new Set();

/** How long a lock file may be without a process number, in milliseconds. After that, the process that made it is gone. */
const UNWRITTEN_MS = 10_000;

/**
 * Runs `work` while no other process on this machine does so under the same path.
 *
 * If a process has died without releasing its lock, the lock is taken over.
 *
 * @template T
 * @param {string} path a file in a folder that may still have to be made
 * @param {() => Promise<T>} work
 * @param {(holder: number) => void} [onWait] called once when another process holds the lock, with its number
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait = () => {}) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  for (let holder = tryLock(path); holder !== undefined; holder = tryLock(path)) {
    if (!told && holder > 0) onWait(holder);
    told ||= holder > 0;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  try {
    return await work();
  } finally {
    unlock(path);
  }
}

/**
 * Takes a lock without waiting, even from a process that has died. Returns undefined if this process now holds it, else the number
 * of the process that does (0: it has not written its number yet).
 * @param {string} path a file in a folder that is there @returns {number | undefined}
 */
export function tryLock(path) {
  while (!taken(path)) {
    const holder = holderOf(path);
    if (holder !== "dead") return holder;
    takeAway(path);
  }
  return undefined;
}

/** Releases a lock that this process holds. @param {string} path */
export function unlock(path) {
  held.delete(path);
  rmSync(path, { force: true });
}

/** Makes the lock file; returns whether it existed already. @param {string} path */
function taken(path) {
  try {
    const file = openSync(path, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    held.add(path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/** The number of the living process that holds the lock (0: not known yet), or that it is dead. @param {string} path */
function holderOf(path) {
  try {
    if (!statSync(path).isFile()) return 0; // reading a pipe would wait for ever
    const holder = Number(readFileSync(path, "utf8"));
    if (!Number.isInteger(holder) || holder < 0) return "dead";
    if (holder === process.pid) return held.has(path) ? holder : "dead";
    if (holder === 0) return Date.now() - statSync(path).mtimeMs > UNWRITTEN_MS ? "dead" : 0;
    return isAlive(holder) ? holder : "dead";
  } catch {
    return 0; // released meanwhile
  }
}

/**
 * Removes a dead process's lock. If two processes notice it at once, neither may remove the lock that the other has taken since. So
 * the removal has a lock of its own, and checks again under it.
 * @param {string} path
 */
function takeAway(path) {
  const guard = `${path}.removing`;
  if (!taken(guard)) {
    if (holderOf(guard) === "dead") unlock(guard);
    return;
  }
  try {
    if (holderOf(path) === "dead") rmSync(path, { force: true });
  } finally {
    unlock(guard);
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
