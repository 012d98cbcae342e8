// Plain JavaScript and Node alone, because sdk/bootstrap.mjs needs it before TypeScript can run and before there is a node_modules
// in which a library could lie. (proper-lockfile tells a dead process by a file's age, this one by its number.)
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 200;
/** Locks that this process holds: its number in any other file is that of an earlier process of the same number. */
const held = new Set();

/** A file without a process number is one that its maker is about to write; after this long its maker is gone. */
const UNWRITTEN_MS = 10_000;

/**
 * Runs `work` while no other process on this machine does so under the same path.
 *
 * A process that died without letting go is noticed and its lock taken over.
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
 * Takes a lock without waiting, also that of a process that died. The process that holds it (0: it has not written its number
 * yet), or undefined where this one does now.
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

/** Lets go of a lock that this process holds. @param {string} path */
export function unlock(path) {
  held.delete(path);
  rmSync(path, { force: true });
}

/** Makes the lock file, or says that it exists. @param {string} path */
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

/** The living process that holds the lock (0: not known yet), or that it is dead. @param {string} path */
function holderOf(path) {
  try {
    if (!statSync(path).isFile()) return 0; // reading a pipe would wait for ever
    const holder = Number(readFileSync(path, "utf8"));
    if (!Number.isInteger(holder) || holder < 0) return "dead";
    if (holder === process.pid) return held.has(path) ? holder : "dead";
    if (holder === 0) return Date.now() - statSync(path).mtimeMs > UNWRITTEN_MS ? "dead" : 0;
    return isAlive(holder) ? holder : "dead";
  } catch {
    return 0; // let go of in between
  }
}

/**
 * Removes a dead process's lock. Two who noticed at once must not remove the lock that the other has taken since, so
 * the removal has a lock of its own and looks again under it.
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
