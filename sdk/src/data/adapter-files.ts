/** Reads and writes an adapter's files in PEFT's format on this machine. */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { check } from "../checks/check.js";
import { filledText } from "../checks/fields.js";
import { isLadError, LadError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import type { pb } from "../wire.js";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const PIECE_BYTES = 2 ** 20;

/** The files of a PEFT adapter, what it says of its training, and others that PEFT writes into its folder. */
const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";
const CLAIMS = "lad.json";
/** What a file of torch.save is sent as. */
const TORCH_FILE = "adapter_model.pth";
const OF_AN_ADAPTER: Own = {
  names: /^(adapter_config\.json|adapter_model\.(safetensors|bin)|lad\.json|README\.md)$/,
  whose: "adapter's",
};

/** The files of a checkpoint that has an adapter in its weights. */
export const OF_A_MERGE: Own = {
  names:
    /^(model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|((generation_)?config|tokenizer(_config)?|lad)\.json|chat_template\.jinja|README\.md)$/,
  whose: "merge's",
};

/** Files that a folder may hold which is replaced. */
interface Own {
  readonly names: RegExp;
  readonly whose: string;
}

/**
 * Writes files that arrive in pieces as one new folder: writes and syncs a temporary folder, then renames it, so that it appears or
 * replaces an older one atomically. `own` tells the names of files that may be replaced.
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
    await replace(target, fresh);
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

/** The path of a folder that may be written. */
async function targetOf(folder: string, overwrite: boolean, own = OF_AN_ADAPTER): Promise<string> {
  const target = await realpath(filledPath(folder)).catch(() => resolve(folder));
  if (await exists(target)) await checkReplaceable(target, overwrite, own);
  return target;
}

function besides(target: string): string {
  return `${target}.new-${randomBytes(4).toString("hex")}`;
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

/** An adapter's files on this machine. */
export interface AdapterFolder {
  /** In the order of their pieces. */
  readonly files: readonly { readonly name: string; readonly bytes: bigint }[];
  /** The files' content in pieces of at most 1 MiB. */
  pieces(): AsyncGenerator<pb.adapters.FilePiece, void, undefined>;
}

/**
 * Opens the files of a PEFT adapter, or a file of torch.save, which the worker reads without running anything: their sizes and their
 * content.
 *
 * @throws LadError `not-found` if one of them is missing, `invalid-file` for weights in a format that can run code
 */
export async function openFolder(folder: string): Promise<AdapterFolder> {
  const source = resolve(filledPath(folder));
  if (/\.(pth|pt)$/.test(source)) return openTorchFile(source);
  const names = await readdir(source).catch(() => undefined);
  if (names === undefined) throw missing(source, "there is no such folder");
  if (!names.includes(WEIGHTS) && names.includes("adapter_model.bin")) {
    throw new LadError(
      "invalid-file",
      `folder is ${source}: its weights are in a pickle (adapter_model.bin).`,
      {
        option: "folder",
        value: source,
        remedy: "Save the adapter with safe_serialization=True.",
      },
    );
  }
  if (!names.includes(CONFIG)) await checkNoneInside(source, names);
  const sent = [CONFIG, WEIGHTS, ...(names.includes(CLAIMS) ? [CLAIMS] : [])];
  const files = await Promise.all(sent.map((name) => sized(source, name)));
  return { files, pieces: () => readPieces(source, files) };
}

async function openTorchFile(path: string): Promise<AdapterFolder> {
  const file = await stat(path, { bigint: true }).catch(() => undefined);
  if (!file?.isFile()) throw missing(path, "there is no such file", "Give an adapter's folder or file.");
  return { files: [{ name: TORCH_FILE, bytes: file.size }], pieces: () => piecesOfFile(path, TORCH_FILE) };
}

/** PEFT keeps an adapter of another name than `default` in a folder of that name inside the one that it is told. */
async function checkNoneInside(source: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const inner = join(source, name);
    const config = await stat(join(inner, CONFIG)).catch(() => undefined);
    if (config?.isFile()) throw missing(source, `${CONFIG} is in its folder ${name}`, `Give ${inner}.`);
  }
}

async function sized(source: string, name: string): Promise<{ name: string; bytes: bigint }> {
  const file = await stat(join(source, name), { bigint: true }).catch(() => undefined);
  if (!file?.isFile()) throw missing(source, `${name} is missing`);
  return { name, bytes: file.size };
}

async function* readPieces(
  source: string,
  files: AdapterFolder["files"],
): AsyncGenerator<pb.adapters.FilePiece, void, undefined> {
  for (const { name } of files) yield* piecesOfFile(join(source, name), name);
}

async function* piecesOfFile(
  path: string,
  name: string,
): AsyncGenerator<pb.adapters.FilePiece, void, undefined> {
  const pieces = createReadStream(path, { highWaterMark: PIECE_BYTES });
  for await (const data of pieces) yield { name, data: data as Buffer };
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

/** Replaces a folder. A folder cannot be renamed over another, so the old one is renamed first and removed last. */
async function replace(target: string, fresh: string): Promise<void> {
  const old = `${fresh}.old`;
  const hasOld = await exists(target);
  if (hasOld) await rename(target, old);
  try {
    await rename(fresh, target);
  } catch (error) {
    if (hasOld) await rename(old, target);
    throw error;
  }
  await syncFolder(dirname(target));
  if (hasOld) await rm(old, { recursive: true, force: true });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Checks that a folder that is there may be replaced and holds no files of others. */
async function checkReplaceable(target: string, overwrite: boolean, own: Own): Promise<void> {
  if (!overwrite) throw alreadyThere(target, "Give another folder, or overwrite: true.");
  const names = await readdir(target).catch(() => undefined);
  if (names === undefined) throw alreadyThere(target, "It is no folder: give another one.");
  const foreign = names.find((name) => !own.names.test(name));
  if (foreign === undefined) return;
  throw alreadyThere(target, `It holds ${foreign}, which is no ${own.whose}: give a folder of its own.`);
}

/** Checks the folder's type too, for callers in plain JavaScript. */
function filledPath(folder: unknown): string {
  return check(filledText("a folder's path"), folder, "folder");
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function alreadyThere(target: string, remedy: string): LadError {
  return new LadError("already-exists", `folder is ${target}: ${basename(target)} exists.`, {
    option: "folder",
    value: target,
    remedy,
  });
}

function missing(
  source: string,
  problem: string,
  remedy = `Give a folder with ${CONFIG} and ${WEIGHTS}, as PEFT and adapter.save write them.`,
): LadError {
  return new LadError("not-found", `folder is ${source}: ${problem}.`, {
    option: "folder",
    value: source,
    remedy,
  });
}
