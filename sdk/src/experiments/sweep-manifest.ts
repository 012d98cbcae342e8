/** A sweep's manifest: a file that keeps its outcomes, so that it can be resumed. */
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isLadError, LadError, shown } from "../errors.js";
import { canonical, parse, stringify } from "../json.js";
import { tryLock, unlock } from "../setup/lock.mjs";
import { type Difference, differences, frozenCopy } from "./plain-data.js";

/** How one point ended. */
export type Outcome<Result> = DonePoint<Result> | PointFailure;

/** The outcome of a point that gave a result. */
export interface DonePoint<Result> {
  /** Distinguishes it from a point that failed. */
  readonly status: "done";
  /** The result of its function. */
  readonly result: Result;
  /** That it took. */
  readonly seconds: number;
}

/** The outcome of a point that failed. */
export interface PointFailure {
  /** Distinguishes it from a point that is done. */
  readonly status: "failed";
  /** What went wrong. */
  readonly error: FailedPoint;
  /** That it took. */
  readonly seconds: number;
}

/** The part of a failed point's error that is kept. */
export interface FailedPoint {
  /** The code of a LadError. */
  readonly code: string | undefined;
  /** The error's text. */
  readonly message: string;
}

/** Identifies an experiment by what its results depend on. */
export interface Experimental {
  /** The axes' names, in order. */
  readonly axes: readonly string[];
  readonly spec: unknown;
}

interface Contents extends Experimental {
  readonly version: typeof VERSION;
  /** Outcomes by the point's canonical JSON. */
  readonly points: Record<string, Outcome<unknown>>;
}

const VERSION = 2;

/** Keeps outcomes by point. Each is on disk before the next is reported. */
export interface Manifest {
  get(point: object): Outcome<unknown> | undefined;
  /**
   * Adds a point's outcome.
   *
   * @throws LadError `invalid-option` for a result that JSON cannot represent; `storage`; `invalid-state` if another program has
   *   written the file
   */
  set(point: object, outcome: Outcome<unknown>): Promise<void>;
  /** Releases the file for other sweeps. */
  close(): void;
}

/**
 * Opens or makes the file, and locks it against other sweeps until it is closed. Without a path everything is kept in memory.
 *
 * @throws LadError `invalid-state` for another experiment's file or one that another sweep has open, `invalid-file` for one that
 *   cannot be read, `storage` for one that cannot be written
 */
export async function openManifest(path: string | undefined, experiment: Experimental): Promise<Manifest> {
  if (path === undefined) return new MemoryManifest();
  const manifest = new FileManifest(resolve(path), experiment);
  await manifest.open();
  return manifest;
}

/** What a manifest's file keeps. */
export interface KeptSweep extends Experimental {
  /** Its points in the order in which they ended, with their outcomes. */
  readonly points: readonly {
    readonly point: Readonly<Record<string, unknown>>;
    readonly outcome: Outcome<unknown>;
  }[];
}

/**
 * Reads a manifest, whether or not a sweep has it open.
 *
 * @throws LadError `not-found`, `invalid-file`, `invalid-state` for one of an older version
 */
export async function readManifest(path: string): Promise<KeptSweep> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw unreadable(path, error);
    throw new LadError("not-found", `manifest is ${path}: there is no such file.`, {
      option: "manifest",
      value: path,
      remedy: "Give the manifest of a sweep.",
    });
  });
  const { axes, spec, points } = contentsOf(text, path);
  const kept = Object.entries(points).map(([key, outcome]) => ({ point: pointOf(key, path), outcome }));
  return { axes, spec, points: kept };
}

function pointOf(key: string, path: string): Readonly<Record<string, unknown>> {
  try {
    const point: unknown = parse(key);
    if (isObject(point) && Object.values(point).every((value) => !isObject(value) && value !== null))
      return point as Record<string, unknown>;
  } catch {
    // told below
  }
  throw unreadable(path, undefined);
}

class MemoryManifest implements Manifest {
  get(): undefined {
    return undefined;
  }

  async set(): Promise<void> {}

  close(): void {}
}

class FileManifest implements Manifest {
  readonly #path: string;
  readonly #lock: string;
  readonly #experiment: Experimental;
  readonly #points = new Map<string, Outcome<unknown>>();
  /** The file's content as this sweep wrote it. */
  #text = "";
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, { axes, spec }: Experimental) {
    this.#path = path;
    this.#lock = `${path}.lock`;
    this.#experiment = { axes: [...axes].sort(), spec };
  }

  async open(): Promise<void> {
    this.#takeLock();
    try {
      this.#text = (await this.#read()) ?? "";
      if (this.#text === "") await this.#write();
      else this.#takeOver(contentsOf(this.#text, this.#path));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get(point: object): Outcome<unknown> | undefined {
    return this.#points.get(canonical(point));
  }

  async set(point: object, outcome: Outcome<unknown>): Promise<void> {
    this.#points.set(canonical(point), outcome);
    this.#writing = this.#writing.catch(() => {}).then(() => this.#writeUnchanged());
    await this.#writing;
  }

  close(): void {
    unlock(this.#lock);
  }

  #takeLock(): void {
    let holder: number | undefined;
    try {
      holder = tryLock(this.#lock);
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    if (holder === undefined) return;
    const who =
      holder === process.pid ? "this process" : holder === 0 ? "another process" : `process ${holder}`;
    throw new LadError("invalid-state", `manifest is ${this.#path}: a sweep of ${who} has it open.`, {
      option: "manifest",
      value: this.#path,
      remedy: `Wait for that one or give another file; if there is no such sweep, delete ${this.#lock}.`,
    });
  }

  #takeOver({ axes, spec, points }: Contents): void {
    const others = differences({ axes, spec }, this.#experiment);
    if (others.length > 0) throw ofAnother(this.#path, others);
    for (const [key, outcome] of Object.entries(points)) this.#points.set(key, outcome);
  }

  async #read(): Promise<string | undefined> {
    return readFile(this.#path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw unreadable(this.#path, error);
    });
  }

  /** Writes unless the file has changed. The lock excludes processes of this machine; the check finds those of other machines. */
  async #writeUnchanged(): Promise<void> {
    const text = (await this.#read()) ?? this.#text;
    if (text !== this.#text) {
      throw new LadError("invalid-state", `manifest is ${this.#path}: another process wrote it meanwhile.`, {
        option: "manifest",
        value: this.#path,
        remedy: "Run one sweep at a time with it.",
      });
    }
    await this.#write();
  }

  /**
   * Writes and syncs a temporary file, then renames it, so that a reader sees the old file or the new one. Then it syncs the folder,
   * which write-file-atomic does not: without that, a crash could undo the rename.
   */
  async #write(): Promise<void> {
    const points = Object.fromEntries(this.#points);
    const text = `${stringify({ version: VERSION, ...this.#experiment, points } satisfies Contents, 2)}\n`;
    const fresh = `${this.#path}.new`;
    try {
      await writeSynced(fresh, text);
      await rename(fresh, this.#path);
      await syncFolder(dirname(this.#path));
    } catch (cause) {
      await rm(fresh, { force: true }).catch(() => {});
      throw unwritable(this.#path, cause);
    }
    this.#text = text;
  }
}

/** @throws LadError `invalid-option` that names the part of a result that JSON cannot represent */
export function checkResult(result: unknown): void {
  if (result !== undefined) frozenCopy(result, "result");
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function contentsOf(text: string, path: string): Contents {
  let contents: Partial<Contents> | { version: 1 } | null;
  try {
    contents = parse(text) as typeof contents;
  } catch (error) {
    if (isLadError(error)) throw error;
    throw unreadable(path, error);
  }
  if (contents?.version === 1) {
    throw new LadError("invalid-state", `manifest is ${path}: it keeps no spec, as those of version 1.`, {
      option: "manifest",
      value: path,
      remedy: "Nobody can tell what its results depend on: give another file, or delete this one.",
    });
  }
  if (contents?.version !== VERSION || !isObject(contents.points)) throw unreadable(path, undefined);
  const { axes, points } = contents;
  const areNames = Array.isArray(axes) && axes.every((axis: unknown) => typeof axis === "string");
  if (areNames && Object.values(points).every(isOutcome)) return contents as Contents;
  throw unreadable(path, undefined);
}

function isOutcome(value: unknown): value is Outcome<unknown> {
  if (!isObject(value)) return false;
  const { status, error } = value as { status?: unknown; error?: Partial<FailedPoint> | null };
  if (status === "done") return true;
  return status === "failed" && typeof error?.message === "string" && isText(error.code);
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** How many differences an error shows, and how many characters of each value. */
const TOLD = 5;
const SHOWN_CHARACTERS = 60;

function ofAnother(path: string, others: readonly Difference[]): LadError {
  const told = others.slice(0, TOLD).map(({ path: part, left, right }) => {
    if (left === undefined) return `${part} is ${brief(right)}, and it has none`;
    if (right === undefined) return `it has ${part} ${brief(left)}, and there is none now`;
    return `${part} is ${brief(right)}, there it is ${brief(left)}`;
  });
  if (others.length > TOLD) told.push(`and ${others.length - TOLD} more`);
  const text = `manifest is ${path}: its results are those of another experiment (${told.join("; ")}).`;
  return new LadError("invalid-state", text, {
    option: "manifest",
    value: path,
    remedy: "Give each experiment a file of its own, or delete this one.",
  });
}

function brief(value: unknown): string {
  return shown(value, SHOWN_CHARACTERS);
}

function unreadable(path: string, cause: unknown): LadError {
  return new LadError("invalid-file", `manifest is ${path}: it is not a sweep's manifest.`, {
    option: "manifest",
    value: path,
    remedy: "Give another file, or delete this one.",
    cause,
  });
}

function unwritable(path: string, cause: unknown): LadError {
  return new LadError("storage", `manifest is ${path}: it could not be written.`, {
    option: "manifest",
    value: path,
    remedy: "Check that its folder is there, the free space and the permissions.",
    cause,
  });
}
