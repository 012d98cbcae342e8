/** Ctrl-C of the sweep of `npm start`: a signal to all processes of its group, as a terminal sends it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { EXAMPLES } from "../support/examples.js";

const scratch = mkdtempSync(join(tmpdir(), "lad-interrupting-"));
const groups: number[] = [];
afterAll(() => {
  for (const group of groups) endGroup(group);
  rmSync(scratch, { recursive: true, force: true });
});

for (const name of ["train", "validation"]) {
  writeFileSync(join(scratch, `${name}.jsonl`), EXAMPLES.map((row) => JSON.stringify(row)).join("\n"));
}
const SWEEP = ["examples/sweep-lora-ranks.ts", "--base", "stub", "--data", scratch, "--questions", "2"];
/** With them a rank takes long beside a signal's way. */
const STEPS = "32";

describe("Ctrl-C", () => {
  it("keeps the ranks that are done, and says how to go on with the others, which it does", async () => {
    const manifest = join(scratch, "ranks.json");
    const sweep = started(...SWEEP, "--ranks", "2,4", "--steps", STEPS, "--manifest", manifest);
    await sweep.says(/^ +2 +224 /m); // the first rank's row
    sweep.interrupt();
    const { exitCode, stdout, stderr } = await sweep.ended;
    expect(exitCode, stderr).toBe(130);
    expect(stdout).toMatch(/^ +2 +224 /m);
    expect(stdout).not.toMatch(/^ +4 +448 /m);
    const [said = "", call = ""] = stderr.split("\n").slice(-2);
    expect(said).toBe(
      `Interrupted. The rows of rank 2 are kept in ${manifest}. To go on with the rest, with the same numbers:`,
    );
    const begin = "    npx tsx ";
    expect(call.slice(0, begin.length)).toBe(begin);
    const rest = started(...call.slice(begin.length).split(" "), "--json");
    const rows = (await rest.ended).stdout.split("\n").map((line) => JSON.parse(line));
    expect(rows.map(({ rank }) => rank)).toEqual([2, 4]);
    const kept = JSON.stringify(JSON.parse(readFileSync(manifest, "utf8")));
    expect(kept).toContain(`"tokensPerSecond":${JSON.stringify(rows[0].tokensPerSecond)}`); // as it was measured then
  }, 300_000);

  it("pressed again ends the program and its worker at once, whatever they wait for", async () => {
    const sweep = started(...SWEEP, "--ranks", "2", "--steps", "1000000");
    await sweep.says(/^stub, 8,864 parameters/m);
    const found = await execa("pgrep", ["-P", String(sweep.pid), "-f", "lad_runtime"]);
    const worker = Number(found.stdout);
    process.kill(worker, "SIGSTOP"); // it answers nothing, not even that it is to end
    try {
      sweep.interrupt();
      await sweep.says(/Ctrl-C again ends at once/);
      sweep.interrupt();
      const { exitCode, stderr } = await sweep.ended;
      expect(exitCode).toBe(130);
      expect(stderr).toContain("Interrupted. No rank was done.");
      expect(isAlive(worker)).toBe(true); // so that nobody has waited for it
    } finally {
      process.kill(worker, "SIGCONT");
    }
    await expect.poll(() => isAlive(worker), { timeout: 20_000 }).toBe(false);
  });
});

/** A program that leads a group of processes, as a shell starts it. */
function started(...words: string[]) {
  const child = execa(process.execPath, ["--import", "tsx", ...words], {
    cwd: resolve(import.meta.dirname, "../../.."),
    env: { OMP_NUM_THREADS: "1" },
    detached: true,
    reject: false,
  });
  groups.push(child.pid as number);
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  return {
    pid: child.pid,
    ended: child,
    says: (what: RegExp) => expect.poll(() => said, { timeout: 100_000, interval: 10 }).toMatch(what),
    interrupt: () => process.kill(-(child.pid as number), "SIGINT"),
  };
}

/** Whatever a test that failed has left. */
function endGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {} // it has ended
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
