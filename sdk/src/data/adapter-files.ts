/** Reads an adapter's files in PEFT's format on this machine. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LadError } from "../errors.js";
import type { pb } from "../wire.js";
import { filledPath } from "./folders/write-folder.js";

const PIECE_BYTES = 2 ** 20;

/** The files of a PEFT adapter, and what it says of its training. */
const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";
const CLAIMS = "lad.json";
/** What a file of torch.save is sent as. */
const TORCH_FILE = "adapter_model.pth";

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
