/** A folder that keeps the result of every item, so that an interrupted benchmark can be gone on with. */
import { createHash } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isLadError, LadError, shown } from "../errors.js";
import { type Difference, differences } from "../experiments/plain-data.js";
import { canonical, parse, stringify } from "../json.js";
import { makeFolder } from "../make-folder.js";
import { tryLock, unlock } from "../setup/lock.mjs";
import type { ItemResult } from "./scoring/scorer.js";

/** All that a folder's results depend on. */
export type RunConfiguration = Readonly<Record<string, unknown>>;

/** Keeps results by model. Each group is on the disk before the next is asked for. */
export interface Results {
  /** A model's results so far, in the order of the items. */
  of(model: string): Promise<readonly ItemResult[]>;
  /** @throws LadError `storage` */
  add(model: string, results: readonly ItemResult[]): Promise<void>;
  /** Releases the folder for other calls. */
  close(): void;
}

/**
 * Opens or makes the folder, and locks it until it is closed. Without a folder nothing is kept.
 *
 * @throws LadError `invalid-state` for a folder of another configuration or one that another call has open, `invalid-file` for one that
 *   cannot be read, `storage` for one that cannot be written
 */
export async function openResults(
  folder: string | undefined,
  configuration: RunConfiguration,
): Promise<Results> {
  if (folder === undefined) return { of: async () => [], add: async () => {}, close: () => {} };
  const results = new ResultsFolder(resolve(folder), configuration);
  await results.open();
  return results;
}

/**
 * What a folder keeps: its configuration, and a model's results.
 *
 * @throws LadError `not-found` for a folder without results, `invalid-file` for one that cannot be read
 */
export async function readResults(
  folder: string,
  model: string,
): Promise<{ configuration: RunConfiguration; results: readonly ItemResult[] }> {
  const path = join(resolve(folder), CONFIGURATION);
  const text = await textOf(path);
  if (text === undefined) {
    throw new LadError("not-found", `folder is ${folder}: it has no results of a benchmark.`, {
      option: "folder",
      value: folder,
      remedy: "Give the folder of a runBenchmark call.",
    });
  }
  const configuration = configurationIn(text, path);
  const { lines } = wholeLines((await textOf(fileOf(resolve(folder), model))) ?? "");
  return { configuration, results: resultsIn(lines, configuration, fileOf(resolve(folder), model)) };
}

/** The file of a benchmark's folder that has all that its results depend on. */
export const CONFIGURATION = "configuration.json";
const LOCK = "benchmark.lock";

class ResultsFolder implements Results {
  readonly #folder: string;
  readonly #configuration: RunConfiguration;

  constructor(folder: string, configuration: RunConfiguration) {
    this.#folder = folder;
    this.#configuration = parse(canonical(configuration)) as RunConfiguration;
  }

  async open(): Promise<void> {
    try {
      makeFolder(this.#folder);
    } catch (cause) {
      throw unwritable(this.#folder, cause);
    }
    this.#takeLock();
    try {
      await this.#takeOver();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** A line that a crash cut is taken away. */
  async of(model: string): Promise<readonly ItemResult[]> {
    const path = fileOf(this.#folder, model);
    const text = (await textOf(path)) ?? "";
    const { lines, bytes } = wholeLines(text);
    if (bytes < Buffer.byteLength(text)) await cut(path, bytes);
    return resultsIn(lines, this.#configuration, path);
  }

  async add(model: string, results: readonly ItemResult[]): Promise<void> {
    const digest = digestOf(this.#configuration);
    const lines = results.map((result) => `${canonical({ configuration: digest, ...result })}\n`);
    try {
      await appendSynced(fileOf(this.#folder, model), lines.join(""));
    } catch (cause) {
      throw unwritable(this.#folder, cause);
    }
  }

  close(): void {
    unlock(join(this.#folder, LOCK));
  }

  #takeLock(): void {
    const path = join(this.#folder, LOCK);
    let holder: number | undefined;
    try {
      holder = tryLock(path);
    } catch (cause) {
      throw unwritable(this.#folder, cause);
    }
    if (holder === undefined) return;
    const who = holder === process.pid ? "this process" : `process ${holder}`;
    const problem = `folder is ${this.#folder}: a benchmark of ${who} has it open.`;
    throw new LadError("invalid-state", problem, {
      option: "folder",
      value: this.#folder,
      remedy: `Wait for that one or give another folder; if there is no such benchmark, delete ${path}.`,
    });
  }

  async #takeOver(): Promise<void> {
    const path = join(this.#folder, CONFIGURATION);
    const text = await textOf(path);
    if (text === undefined) {
      await replaceSynced(path, `${stringify(this.#configuration, 2)}\n`).catch((cause: unknown) => {
        throw unwritable(this.#folder, cause);
      });
      return;
    }
    const others = differences(configurationIn(text, path), this.#configuration);
    if (others.length > 0) throw ofAnother(this.#folder, others);
  }
}

function fileOf(folder: string, model: string): string {
  return join(folder, `${model}.jsonl`);
}

function digestOf(configuration: RunConfiguration): string {
  return createHash("sha256").update(canonical(configuration)).digest("hex").slice(0, 16);
}

function wholeLines(text: string): { lines: string[]; bytes: number } {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return { lines: whole.split("\n").slice(0, -1), bytes: Buffer.byteLength(whole) };
}

/** @throws LadError `invalid-file` for a line that this configuration did not write */
function resultsIn(lines: readonly string[], configuration: RunConfiguration, path: string): ItemResult[] {
  const digest = digestOf(configuration);
  return lines.map((line, index) => {
    const read = parsed(line) as ({ configuration?: unknown } & ItemResult) | undefined;
    if (read?.configuration !== digest) throw unreadable(`${path}, line ${index + 1}`, undefined);
    const { configuration: _, ...result } = read;
    return result;
  });
}

function configurationIn(text: string, path: string): RunConfiguration {
  const read = parsed(text);
  if (typeof read !== "object" || read === null) throw unreadable(path, undefined);
  return read as RunConfiguration;
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw isLadError(error) ? error : unreadable(path, error);
  });
}

async function cut(path: string, bytes: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function appendSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "a");
  try {
    await file.appendFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function replaceSynced(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  await appendSynced(fresh, text);
  await rename(fresh, path);
}

/** How many differences an error shows, and how many characters of each value. */
const TOLD = 5;
const SHOWN_CHARACTERS = 60;

function ofAnother(folder: string, others: readonly Difference[]): LadError {
  const told = others.slice(0, TOLD).map(({ path, left, right }) => {
    const [there, now] = [left, right].map((value) =>
      value === undefined ? "nothing" : shown(value, SHOWN_CHARACTERS),
    );
    return `${path} is ${now}, there it is ${there}`;
  });
  if (others.length > TOLD) told.push(`and ${others.length - TOLD} more`);
  const text = `folder is ${folder}: its results are those of another configuration (${told.join("; ")}).`;
  return new LadError("invalid-state", text, {
    option: "folder",
    value: folder,
    remedy: "Give each configuration a folder of its own, or delete this one.",
  });
}

function unreadable(path: string, cause: unknown): LadError {
  return new LadError("invalid-file", `${path} is not as a benchmark wrote it.`, {
    option: "folder",
    value: path,
    remedy: "Give another folder, or delete this one.",
    cause,
  });
}

function unwritable(folder: string, cause: unknown): LadError {
  return new LadError("storage", `folder is ${folder}: it could not be written.`, {
    option: "folder",
    value: folder,
    remedy: "Check the free space and the permissions.",
    cause,
  });
}
