/** What a sweep has done so far, in a file that outlives it. */
import { createHash, randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { LadError } from "./errors.js";
import { canonical, parse, stringify } from "./json.js";

/** How one point ended. */
export type Outcome<Result> =
  | { readonly status: "done"; readonly result: Result; readonly seconds: number }
  | { readonly status: "failed"; readonly error: FailedPoint; readonly seconds: number };

/** What is kept of the error of a point that failed. */
export interface FailedPoint {
  /** Of a LadError. */
  readonly code: string | undefined;
  readonly message: string;
}

interface Contents {
  readonly version: 1;
  /** Of the axes' names and the sweep's `spec`. */
  readonly digest: string;
  /** By the point's canonical JSON. */
  readonly points: Record<string, Outcome<unknown>>;
}

/** Outcomes by point; every one is on disk before the next is reported. */
export class Manifest {
  readonly #path: string | undefined;
  readonly #digest: string;
  readonly #points = new Map<string, Outcome<unknown>>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string | undefined, digest: string) {
    this.#path = path;
    this.#digest = digest;
  }

  /**
   * Reads the file where there is one; without a path everything is kept in memory.
   *
   * @throws LadError `invalid-state` for another sweep's file, `invalid-file` for one that cannot be read
   */
  static async open(path: string | undefined, axes: readonly string[], spec: unknown): Promise<Manifest> {
    const digest = createHash("sha256")
      .update(canonical({ axes: [...axes].sort(), spec }))
      .digest("hex");
    const manifest = new Manifest(path === undefined ? undefined : resolve(path), digest);
    if (manifest.#path !== undefined) await manifest.#read(manifest.#path);
    return manifest;
  }

  get(point: object): Outcome<unknown> | undefined {
    return this.#points.get(canonical(point));
  }

  /** @throws LadError `storage` */
  async set(point: object, outcome: Outcome<unknown>): Promise<void> {
    this.#points.set(canonical(point), outcome);
    const path = this.#path;
    if (path === undefined) return;
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write(path));
    await this.#writing;
  }

  async #read(path: string): Promise<void> {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw unreadable(path, error);
    });
    if (text === undefined) return;
    const { digest, points } = contentsOf(text, path);
    if (digest !== this.#digest) {
      throw new LadError("invalid-state", `manifest is ${path}: another sweep wrote it.`, {
        option: "manifest",
        value: path,
        remedy: "Its axes or its spec were others; give another file, or delete this one.",
      });
    }
    for (const [key, outcome] of Object.entries(points)) this.#points.set(key, outcome);
  }

  /** Beside the file, synced, then in its place: a reader sees the old one or the new one. */
  async #write(path: string): Promise<void> {
    const contents: Contents = {
      version: 1,
      digest: this.#digest,
      points: Object.fromEntries(this.#points),
    };
    const fresh = `${path}.${randomBytes(4).toString("hex")}`;
    try {
      const file = await open(fresh, "wx");
      try {
        await file.writeFile(`${stringify(contents, 2)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, path);
    } catch (cause) {
      await rm(fresh, { force: true });
      throw new LadError("storage", `manifest is ${path}: it could not be written.`, {
        option: "manifest",
        value: path,
        remedy: "Check the free space and the permissions.",
        cause,
      });
    }
  }
}

function contentsOf(text: string, path: string): Contents {
  try {
    const contents = parse(text) as Partial<Contents> | null;
    if (
      contents?.version === 1 &&
      typeof contents.digest === "string" &&
      typeof contents.points === "object"
    ) {
      return contents as Contents;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  throw unreadable(path, undefined);
}

function unreadable(path: string, cause: unknown): LadError {
  return new LadError("invalid-file", `manifest is ${path}: it is not a sweep's manifest.`, {
    option: "manifest",
    value: path,
    remedy: "Give another file, or delete this one.",
    cause,
  });
}
