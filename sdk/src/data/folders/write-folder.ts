/** Writes files that arrive in pieces as one folder of this machine. */
import { type FileHandle, open, realpath, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { check } from "../../checks/check.js";
import { filledText } from "../../checks/fields.js";
import { isLadError, LadError } from "../../errors.js";
import { makeFolder } from "../../make-folder.js";
import type { pb } from "../../wire.js";
import { besides, clearLeftovers } from "./leftovers.js";
import { checkReplaceable, exists, OF_AN_ADAPTER, type Own } from "./own-files.js";
import { replace, syncFolder } from "./replace.js";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Writes files that arrive in pieces as one new folder: writes and syncs a temporary folder, then renames it, so that it appears or
 * replaces an older one atomically. `own` tells what may be replaced; without `overwrite` nothing is, whenever it was made.
 *
 * @throws LadError `already-exists` for an existing folder that may not be replaced or holds other files; `storage` for a failed
 *   write
 */
export async function writeFolder(
  folder: string,
  pieces: AsyncIterable<pb.adapters.FilePiece>,
  { overwrite, own = OF_AN_ADAPTER }: { overwrite: boolean; own?: Own },
): Promise<void> {
  const target = await targetOf(folder, overwrite, own);
  const fresh = besides(target);
  try {
    makeFolder(fresh);
    await writePieces(fresh, pieces);
    await syncFolder(fresh);
    await replace(target, fresh, { overwrite, own });
  } catch (error) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {}); // the first error is the one to report
    throw isLadError(error) ? error : unwritten(target, error);
  }
}

/**
 * Checks that `writeFolder` can write a folder, by making one beside it for a moment.
 *
 * @throws LadError as `writeFolder`
 */
export async function checkFolder(folder: string, { overwrite }: { overwrite: boolean }): Promise<void> {
  const target = await targetOf(folder, overwrite);
  const trial = besides(target);
  try {
    makeFolder(trial);
    await rm(trial, { recursive: true });
  } catch (error) {
    throw unwritten(target, error);
  }
}

/** The path of a folder that may be written, with nothing left beside it of writers that were killed. */
async function targetOf(folder: string, overwrite: boolean, own = OF_AN_ADAPTER): Promise<string> {
  const target = await realpath(filledPath(folder)).catch(() => resolve(folder));
  await clearLeftovers(target);
  if (await exists(target)) await checkReplaceable(target, { overwrite, own });
  return target;
}

function unwritten(target: string, error: unknown): LadError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new LadError("storage", `The folder ${target} could not be written: ${code ?? message}.`, {
    option: "folder",
    value: target,
    remedy: "Check the free space and the permissions; what was there before is unchanged.",
    cause: error,
  });
}

/** Writes the files one after another. Names come from the worker, so each is checked before it becomes a path. */
async function writePieces(folder: string, pieces: AsyncIterable<pb.adapters.FilePiece>): Promise<void> {
  let current: { name: string; file: FileHandle } | undefined;
  try {
    for await (const { name, data } of pieces) {
      if (current?.name !== name) {
        await current?.file.sync();
        await current?.file.close();
        current = undefined;
        if (!NAME.test(name)) throw new LadError("invalid-file", `The worker sent a file named ${name}.`);
        current = { name, file: await open(join(folder, name), "wx") };
      }
      await current.file.writeFile(data);
    }
    await current?.file.sync();
  } finally {
    await current?.file.close();
  }
}

/** Checks the folder's type too, for callers in plain JavaScript. */
export function filledPath(folder: unknown): string {
  return check(filledText("a folder's path"), folder, "folder");
}
