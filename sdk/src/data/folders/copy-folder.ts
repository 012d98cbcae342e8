/** Copies of adapters' folders. */
import { copyFile, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isLadError, LadError } from "../../errors.js";
import { makeFolder } from "../../make-folder.js";
import { besides, clearLeftovers } from "./leftovers.js";
import { checkReplaceable, exists, OF_AN_ADAPTER } from "./own-files.js";
import { replace, syncFolder } from "./replace.js";

const WEIGHTS = "adapter_model.safetensors";
/** What an adapter's folder has; nothing else is copied. */
const FILES = ["adapter_config.json", WEIGHTS, "lad.json", "README.md"];

/** Copies an adapter's files to a folder that is not there yet, whole or not at all, as `writeFolder` writes one. */
export async function copyFolder(source: string, target: string): Promise<void> {
  const [from, to] = [resolve(source), resolve(target)];
  if (!(await isFile(join(from, WEIGHTS)))) {
    throw new LadError("not-found", `folder is ${from}: ${WEIGHTS} is missing.`, {
      option: "folder",
      value: from,
      remedy: "Give an adapter's folder, as PEFT writes it with safe_serialization=True.",
    });
  }
  await clearLeftovers(to);
  const how = { overwrite: false, own: OF_AN_ADAPTER };
  if (await exists(to)) await checkReplaceable(to, how);
  const fresh = besides(to);
  try {
    makeFolder(fresh);
    for (const name of FILES) {
      if (await isFile(join(from, name))) await copyFile(join(from, name), join(fresh, name));
    }
    await syncFolder(fresh);
    await replace(to, fresh, how);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {}); // the first error is the one to report
    throw isLadError(error) ? error : uncopied(to, error);
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

function uncopied(target: string, cause: unknown): LadError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new LadError("storage", `The folder ${target} could not be written: ${code ?? message}.`, {
    option: "folder",
    value: target,
    remedy: "Check the free space and the permissions.",
    cause,
  });
}
