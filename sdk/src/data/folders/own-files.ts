/** Which folders are of one's own making, so that they may be replaced. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { LadError } from "../../errors.js";

/** Files that a folder may hold which is replaced. */
export interface Own {
  readonly names: RegExp;
  readonly whose: string;
  /** Whether names do not suffice, because others name their files so too: then what lad wrote of the adapter has to be there. */
  readonly needsClaims: boolean;
}

/** The files of a PEFT adapter, what it says of its training, and others that PEFT writes into its folder. */
export const OF_AN_ADAPTER: Own = {
  names: /^(adapter_config\.json|adapter_model\.(safetensors|bin)|lad\.json|README\.md)$/,
  whose: "adapter's",
  needsClaims: false,
};

/** The files of a checkpoint that has an adapter in its weights. Any model of transformers is in files of these names. */
export const OF_A_MERGE: Own = {
  names:
    /^(model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|((generation_)?config|tokenizer(_config)?|lad)\.json|chat_template\.jinja|README\.md)$/,
  whose: "merge's",
  needsClaims: true,
};

/** What a file of claims has at the most: names and numbers. */
const MOST_CLAIMS_BYTES = 2 ** 20;

/**
 * Checks that a folder that is there may be replaced: it holds no files of others, and no folders.
 *
 * @param lies - where it lies now, if it was moved away from `target`, which errors name
 * @throws LadError `already-exists`
 */
export async function checkReplaceable(
  target: string,
  { overwrite, own, lies = target }: { overwrite: boolean; own: Own; lies?: string },
): Promise<void> {
  if (!overwrite) throw alreadyThere(target, "Give another folder, or overwrite: true.");
  const entries = await readdir(lies, { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? [] : undefined), // gone meanwhile
  );
  if (entries === undefined) throw alreadyThere(target, "It is no folder: give another one.");
  const foreign = entries.find((entry) => entry.isDirectory() || !own.names.test(entry.name));
  if (foreign !== undefined) {
    const what = foreign.isDirectory() ? `the folder ${foreign.name}` : foreign.name;
    throw alreadyThere(target, `It holds ${what}, which is no ${own.whose}: give a folder of its own.`);
  }
  if (!own.needsClaims || entries.length === 0 || (await hasClaims(lies))) return;
  throw alreadyThere(
    target,
    "It may be another's model, since no lad.json in it says that it is a merge: give another folder, or delete this one first.",
  );
}

/** Whether every file in a folder has a name of one's own, whether or not all of them are there. */
export async function holdsOwnFilesOnly(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true });
  const isOwn = (name: string) => [OF_AN_ADAPTER, OF_A_MERGE].some(({ names }) => names.test(name));
  return entries.every((entry) => entry.isFile() && isOwn(entry.name));
}

/** Whether what a folder says of itself is what lad wrote: its format, and the base and the attention that it names. */
async function hasClaims(folder: string): Promise<boolean> {
  const file = join(folder, "lad.json");
  try {
    const found = await stat(file);
    if (!found.isFile() || found.size > MOST_CLAIMS_BYTES) return false;
    const claims = JSON.parse(await readFile(file, "utf8")) as Readonly<Record<string, unknown>> | null;
    const texts = [claims?.base_name, claims?.base_revision, claims?.attention];
    return Number.isInteger(claims?.format) && texts.every((text) => typeof text === "string");
  } catch {
    return false;
  }
}

export function alreadyThere(target: string, remedy: string, cause?: unknown): LadError {
  return new LadError("already-exists", `folder is ${target}: ${basename(target)} exists.`, {
    option: "folder",
    value: target,
    remedy,
    cause,
  });
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
