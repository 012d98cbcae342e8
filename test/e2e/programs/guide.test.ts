/** The programs of docs/guide.md, as they stand but for the number of their steps: all in one, each in a block of its own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const scratch = mkdtempSync(join(tmpdir(), "lad-guide-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const guide = readFileSync(join(root, "docs/guide.md"), "utf8");
const [beginning = "", ...programs] = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, text = ""]) => text,
);

it("the programs of the guide run, and those that go on where they were do, a second time", async () => {
  const told = await run(programs);
  const figure = String.raw`\d+\.\d+`;
  for (const line of [
    `customNoise ${figure}`,
    `validate ${figure} nats a corrupted token; ${figure} of the answers' own`,
    String.raw`evaluate [\d.]+ of 10 \[.*\] perplexity ${figure}`,
    "compareEvaluations \\{",
    "checkpoint capitals at step 2",
    "checkpoint capitals at step 4",
    "runs finished tiny capitals 4 of 4",
    "connection 16 1",
    `manifest 4 ${figure} false`,
    `manifest 16 ${figure} false`,
  ]) {
    expect(told).toMatch(new RegExp(`^${line}`, "m"));
  }
  const again = await run(programs.filter((text) => /checkpoint = |manifest:/.test(text)));
  expect(again).not.toContain("at step 2");
  const kept = (text: string) => text.split("\n").filter((line) => line.startsWith("manifest"));
  expect(kept(again)).toEqual(kept(told).map((line) => line.replace("false", "true")));
}, 300_000);

/** What programs print that go on from the beginning. */
async function run(bodies: readonly string[]): Promise<string> {
  const whole = [beginning, ...bodies.map((text) => `{\n${text}}\n`)].join("\n");
  const short = whole
    .replace('"state"', JSON.stringify(join(scratch, "state")))
    .replace('"ranks.json"', JSON.stringify(join(scratch, "ranks.json")))
    .replace("everySteps: 50", "everySteps: 2")
    .replaceAll(/steps: [12]00/g, "steps: 4, warmupSteps: 0")
    .replace("{ steps: 4, warmupSteps: 0 }", "{ steps: 4 }");
  const file = join(scratch, "guide.mts");
  writeFileSync(file, short);
  const { stdout } = await execa(process.execPath, ["--import", "tsx", file], {
    cwd: root,
    env: { OMP_NUM_THREADS: "1", NO_COLOR: "1" },
  });
  return stdout;
}
