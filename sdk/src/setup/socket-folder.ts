/** Where the socket of a worker that is started here lies. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LadError } from "../errors.js";

/** The longest path of a unix socket, in bytes, that all systems accept. */
const LONGEST_SOCKET_PATH = 100;

/** The path of the socket in its folder. */
export function socketIn(folder: string): string {
  return join(folder, "worker.sock");
}

/**
 * Makes a folder that only this user can read, with a path short enough for the worker's socket in it.
 *
 * @throws LadError `worker-start-failed` where the temporary folder's path is too long
 */
export async function socketFolder(): Promise<string> {
  for (const parent of [tmpdir(), "/tmp"]) {
    const prefix = join(parent, "lad-");
    if (socketIn(`${prefix}XXXXXX`).length <= LONGEST_SOCKET_PATH) return mkdtemp(prefix);
  }
  throw new LadError(
    "worker-start-failed",
    `The temporary folder's path is too long for a socket: ${tmpdir()}.`,
    {
      option: "TMPDIR",
      value: tmpdir(),
      remedy: "Set TMPDIR to a shorter path.",
    },
  );
}
