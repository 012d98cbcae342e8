/** Where a worker listens that one process serves for the others of its user. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LadError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import type { Connection } from "../runtime.js";
import { homeFolder } from "../setup/locate.js";

/** A worker that a process of this user serves for others. */
export interface ServedWorker {
  /** What `Runtime.start` reaches it with. */
  readonly connection: Connection;
  /** The id of the process that serves it: when that ends, so does the worker. */
  readonly pid: number;
}

/** What ends the announcement of a worker. */
export interface Announcement {
  /** Where it is noted; the file holds the token, and only this user can read it. */
  readonly file: string;
  /** Takes the note away, unless another process has made one since. */
  withdraw(): Promise<void>;
}

/**
 * The worker that another process of this user serves, as `announceWorker` or `lad serve` noted it; undefined if there is none, or if its
 * process is gone. `Runtime.start((await servedWorker())?.connection)` reaches it, and starts a worker of its own where there is none.
 */
export async function servedWorker(): Promise<ServedWorker | undefined> {
  const served = await noted(noteFile());
  return served !== undefined && isAlive(served) ? served : undefined;
}

/**
 * Makes sure that no other process of this user serves a worker.
 *
 * @throws LadError `already-exists` if one does
 */
export async function requireNoneServed(): Promise<void> {
  const other = await servedWorker();
  if (other !== undefined && other.pid !== process.pid) {
    throw new LadError(
      "already-exists",
      `Process ${other.pid} serves a worker already, at ${other.connection.address}.`,
      {
        remedy: "Use that one, end it, or set another LAD_HOME.",
      },
    );
  }
}

/**
 * Notes for other processes of this user where a worker of this one listens, in a file of `$LAD_HOME` or its default.
 *
 * @throws LadError `already-exists` while another process serves a worker, `storage` if the note cannot be written
 */
export async function announceWorker(connection: Connection): Promise<Announcement> {
  await requireNoneServed();
  const file = noteFile();
  const note: Note = { ...connection, pid: process.pid };
  try {
    makeFolder(homeFolder());
    const fresh = `${file}.${randomBytes(4).toString("hex")}`;
    await writeFile(fresh, `${JSON.stringify(note)}\n`, { mode: 0o600, flag: "wx" });
    await rename(fresh, file);
  } catch (cause) {
    throw new LadError("storage", `Where the worker listens could not be noted in ${file}.`, {
      option: "LAD_HOME",
      value: homeFolder(),
      remedy: "Name a folder that can be written in LAD_HOME.",
      cause,
    });
  }
  return {
    file,
    async withdraw() {
      if ((await noted(file))?.connection.token === connection.token) await rm(file, { force: true });
    },
  };
}

/** What the file holds. */
interface Note extends Connection {
  readonly pid: number;
}

function noteFile(): string {
  return join(homeFolder(), "worker.json");
}

/** What a note says; undefined where there is none that can be read. */
async function noted(file: string): Promise<ServedWorker | undefined> {
  try {
    const { address, token, pid } = JSON.parse(await readFile(file, "utf8")) as Partial<Note>;
    if (typeof address !== "string" || typeof token !== "string" || !Number.isInteger(pid)) return undefined;
    return { connection: { address, token }, pid: pid as number };
  } catch {
    return undefined;
  }
}

/** Whether a process of that id runs, and the socket is there: the id may be another's by now. */
function isAlive({ pid, connection: { address } }: ServedWorker): boolean {
  const [, socket] = /^unix:\/\/(.*)$/.exec(address) ?? [];
  if (socket !== undefined && !existsSync(socket)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
