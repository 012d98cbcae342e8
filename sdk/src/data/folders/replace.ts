/** Puts a finished folder in its place. */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { asideOf } from "./leftovers.js";
import { alreadyThere, checkReplaceable, exists, type Own } from "./own-files.js";

/** Codes of a rename onto a folder that is not empty; and those that mean something that is there, if there is. */
const TAKEN: readonly (string | undefined)[] = ["ENOTEMPTY", "EEXIST"];
const MAYBE_TAKEN: readonly (string | undefined)[] = ["ENOTDIR", "EPERM"];

/**
 * Renames a folder to `target`. Renaming onto a folder with files in it fails, so of several writers one comes first, and nothing that
 * was made meanwhile is lost. With `overwrite` the older folder is moved aside, checked there, where no other writer finds it, and
 * removed last.
 *
 * @throws LadError `already-exists`, or the system's error; what was there is then there again
 */
export async function replace(
  target: string,
  fresh: string,
  { overwrite, own }: { overwrite: boolean; own: Own },
): Promise<void> {
  // An empty folder is the one thing that a rename would replace.
  if (!overwrite && (await exists(target))) await checkReplaceable(target, { overwrite, own });
  const aside: string[] = [];
  try {
    while (!(await renamedTo(target, fresh))) {
      await checkReplaceable(target, { overwrite, own });
      const old = asideOf(fresh, aside.length);
      if (await movedAside(target, old, own)) aside.push(old);
    }
  } catch (error) {
    const [last] = aside.slice(-1);
    if (last !== undefined) await putBack(target, last, error);
    throw error;
  }
  await syncFolder(dirname(target));
  for (const old of aside) await rm(old, { recursive: true, force: true });
}

/** Whether there was room for it. */
async function renamedTo(target: string, fresh: string): Promise<boolean> {
  try {
    await rename(fresh, target);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (TAKEN.includes(code) || (MAYBE_TAKEN.includes(code) && (await exists(target)))) return false;
    throw error;
  }
}

/** Whether it was still there. It may have changed since it was checked: what is not one's own is put back. */
async function movedAside(target: string, old: string, own: Own): Promise<boolean> {
  try {
    await rename(target, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    await checkReplaceable(target, { overwrite: true, own, lies: old });
  } catch (error) {
    await putBack(target, old, error);
    throw error;
  }
  return true;
}

async function putBack(target: string, old: string, cause: unknown): Promise<void> {
  try {
    if (await exists(target)) throw cause;
    await rename(old, target);
  } catch {
    throw alreadyThere(
      target,
      `Another program wrote it meanwhile: what was there before is in ${old}.`,
      cause,
    );
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
