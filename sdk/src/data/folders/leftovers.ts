/** Folders that are being written beside the one that they become, and what is left of them when their process is killed. */
import { createHash, randomBytes } from "node:crypto";
import { readdir, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { checkReplaceable, exists, holdsOwnFilesOnly, OF_A_MERGE, OF_AN_ADAPTER } from "./own-files.js";

/** Tells machines apart that write to one disk: a process of another one cannot be asked for. */
const MACHINE = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);

/** A new name beside a folder: `<folder>.new-<machine>-<process>-<random>`. What it replaces is put at that name and `.old`. */
export function besides(target: string): string {
  return `${target}.new-${MACHINE}-${process.pid}-${randomBytes(4).toString("hex")}`;
}

/** Where the folder that `fresh` replaces lies for a moment; `round` tells several of them apart. */
export function asideOf(fresh: string, round: number): string {
  return `${fresh}.old${round === 0 ? "" : `-${round}`}`;
}

const NAME = /^\.new-([0-9a-f]{6})-(\d+)-[0-9a-f]{8}(\.old(-\d+)?)?$/;

/**
 * Removes what killed processes of this machine left beside a folder. One that was moved aside to be replaced is put back where nothing
 * took its place. What holds files of others stays, and what cannot be removed too: it is in nobody's way.
 */
export async function clearLeftovers(target: string): Promise<void> {
  const names = await readdir(dirname(target)).catch((): string[] => []);
  for (const name of names.filter((each) => each.startsWith(`${basename(target)}.new-`)).sort()) {
    const [found, machine, pid, old] = NAME.exec(name.slice(basename(target).length)) ?? [];
    if (found === undefined || machine !== MACHINE || isRunning(Number(pid))) continue;
    const leftover = join(dirname(target), name);
    await (old === undefined ? clearFresh(leftover) : clearAside(leftover, target)).catch(() => {});
  }
}

async function clearFresh(leftover: string): Promise<void> {
  if (await holdsOwnFilesOnly(leftover)) await rm(leftover, { recursive: true });
}

async function clearAside(leftover: string, target: string): Promise<void> {
  if (!(await exists(target))) return rename(leftover, target);
  if ((await isReplaceable(leftover, OF_AN_ADAPTER)) || (await isReplaceable(leftover, OF_A_MERGE))) {
    await rm(leftover, { recursive: true });
  }
}

async function isReplaceable(folder: string, own: typeof OF_A_MERGE): Promise<boolean> {
  const check = checkReplaceable(folder, { overwrite: true, own });
  return check.then(
    () => true,
    () => false,
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
