/** What an adapter's folder says of itself, before a worker has it. */
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { copyFolder } from "./data/folders/copy-folder.js";
import { LadError } from "./errors.js";

/** An adapter in a folder of this machine. */
export interface AdapterFolderInfo {
  /** Its path. */
  readonly folder: string;
  /** Rows of A. */
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  /** The projections that it adapts; a text where PEFT's `target_modules` is one. */
  readonly targets: readonly string[];
  /** The base that it was trained on: its name, else where PEFT's configuration says that it lies; undefined if its files do not say. */
  readonly baseName: string | undefined;
  /** The attention mode that it was trained in; undefined if its files do not say. */
  readonly attention: string | undefined;
  /** Optimizer steps over its life; undefined if its files do not say. */
  readonly steps: number | undefined;
  /** When its files were written. */
  readonly saved: Date;
}

/**
 * Reads what an adapter's files say of it: PEFT's configuration, and lad's own claims where there are any.
 *
 * @throws LadError `not-found` where there is no adapter, `invalid-file` where it cannot be read
 */
export async function readAdapterFolder(path: string): Promise<AdapterFolderInfo> {
  const folder = resolve(path);
  const config = await jsonOf(join(folder, "adapter_config.json"));
  if (config === undefined) {
    throw new LadError("not-found", `folder is ${folder}: adapter_config.json is missing.`, {
      option: "folder",
      value: folder,
      remedy: "Give an adapter's folder, as PEFT and adapter.save write them.",
    });
  }
  const claims = (await jsonOf(join(folder, "lad.json"))) ?? {};
  const { mtime } = await stat(join(folder, "adapter_config.json"));
  const { r, lora_alpha, target_modules } = config;
  return {
    folder,
    rank: numeric(r) ?? Number.NaN,
    alpha: numeric(lora_alpha) ?? Number.NaN,
    targets: Array.isArray(target_modules) ? target_modules.map(String) : [String(target_modules)],
    baseName: textual(claims.base_name) ?? textual(config.base_model_name_or_path),
    attention: textual(claims.attention),
    steps: numeric(claims.steps),
    saved: mtime,
  };
}

/**
 * Copies an adapter's files to another folder of this machine, which appears atomically. Files of other names stay behind.
 *
 * @throws LadError `not-found`, `invalid-file` for what is no adapter; `already-exists`, `storage`
 */
export async function copyAdapterFolder(folder: string, target: string): Promise<void> {
  const found = await readAdapterFolder(folder);
  await copyFolder(found.folder, target);
}

/** What such a file has at the most: names and numbers. */
const MOST_BYTES = 2 ** 20;

async function jsonOf(file: string): Promise<Record<string, unknown> | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return undefined;
  try {
    if (!found.isFile() || found.size > MOST_BYTES) throw new Error("no file that would be read");
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // told below
  }
  throw new LadError("invalid-file", `${file} is no JSON object.`, { option: "folder", value: file });
}

function numeric(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function textual(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
