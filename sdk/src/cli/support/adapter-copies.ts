/** Copies of adapters' folders. */
import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { copyFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LadError } from "../../index.js";
import { makeFolder } from "../../make-folder.js";

/** What an adapter's folder has; nothing else is copied. */
export const WEIGHTS = "adapter_model.safetensors";
const FILES = ["adapter_config.json", WEIGHTS, "lad.json", "README.md"];

/** Copies an adapter to a folder that is not there yet, whole or not at all. */
export async function copied(folder: string, target: string, remedy: string): Promise<void> {
  if (existsSync(target)) {
    const text = `folder is ${target}: it is there already.`;
    throw new LadError("already-exists", text, { option: "folder", value: target, remedy });
  }
  const fresh = `${resolve(target)}.new-${randomBytes(4).toString("hex")}`;
  try {
    makeFolder(fresh);
    for (const name of FILES) {
      const file = join(folder, name);
      if (isFile(file)) await copyFile(file, join(fresh, name));
    }
    await rename(fresh, target);
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {}); // the first error is the one to tell
    const { code } = cause as NodeJS.ErrnoException;
    const text = `folder is ${target}: it could not be written (${code}).`;
    throw new LadError("storage", text, { option: "folder", value: target, remedy, cause });
  }
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
