import { readFileSync } from "node:fs";

/** Of utime and stime in /proc: Linux counts 100 in a second for programs, whatever its own clock. */
const TICKS_A_SECOND = 100;

/** What a process's threads have computed so far, in seconds, where the system tells. */
export function processorSeconds(pid: number | undefined): number | undefined {
  const stat = statOf(pid);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // a program's name may have spaces
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

function statOf(pid: number | undefined): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
}
