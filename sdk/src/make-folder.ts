import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { LadError } from "./errors.js";

/**
 * Makes a folder, and those that it lies in, unless they are there. Node's `mkdir` with `recursive` never ends where the system says of
 * a folder that is there that it is not, as `/proc` does.
 *
 * @throws the system's error
 */
export function makeFolder(path: string): void {
  const folder = resolve(path);
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isFolder(folder)) throw error; // else another process has made it
  }
}

/**
 * `makeFolder` for a folder that a caller gave as the option `folder`.
 *
 * @throws LadError `storage`
 */
export function makeGivenFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new LadError("storage", `folder is ${folder}: it could not be made.`, {
      option: "folder",
      value: folder,
      remedy: "Give a folder that can be written.",
      cause,
    });
  }
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
