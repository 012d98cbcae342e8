/** The programs of docs/guide, as they stand but for the number of their steps: those of a page are one program. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, it } from "vitest";
import { pageOf, root } from "../../docs/support/pages.js";
import { programOf } from "../../docs/support/typescript.js";

const scratch = mkdtempSync(join(tmpdir(), "lad-guide-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const FIGURE = String.raw`\d+\.\d+`;

/** What the programs of each page print, a line each. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  "first-run.md": [`1 ${FIGURE}`, `4 ${FIGURE}`],
  "your-own-noise.md": [`customNoise ${FIGURE}`],
  "your-own-sampler.md": ["sampled ", "equal true"],
  "which-policy.md": [String.raw`form \{"Peru": ".*", "Kenya": ".*"\}`],
  "editing.md": [
    String.raw`fixed The capital of Peru is.*\. The capital of Kenya is Nairobi\.`,
    String.raw`filled \[ [123], 3 \] The capital of Peru is.*\. The capital of Kenya is`,
    "mended ",
    "from a frame ",
  ],
  "evaluate.md": [
    `validate ${FIGURE} nats a corrupted token; ${FIGURE} of the answers' own`,
    String.raw`evaluate [\d.]+ of 10 \[.*\] perplexity ` + FIGURE,
    String.raw`compareEvaluations \{`,
  ],
  "resuming.md": [
    "checkpoint capitals at step 2",
    "checkpoint capitals at step 4",
    "runs finished tiny capitals 4 of 4",
  ],
  "many-adapters.md": ["connection 16 1", `manifest 4 ${FIGURE} false`, `manifest 16 ${FIGURE} false`],
};

it.each(Object.entries(TOLD))("the program of %s runs", async (name, lines) => {
  const told = await run(name);
  for (const line of lines) expect(told).toMatch(new RegExp(`^${line}`, "m"));
});

it("those that go on where they were do, a second time", async () => {
  expect(await run("resuming.md")).not.toContain("at step 2");
  const kept = await run("many-adapters.md");
  expect(kept).toMatch(new RegExp(`^manifest 4 ${FIGURE} true\nmanifest 16 ${FIGURE} true$`, "m"));
});

it("every page that says so is among them", () => {
  const running = readdirSync(join(root, "docs/guide")).filter((name) => programsOf(name).length > 0);
  expect(Object.keys(TOLD).sort()).toEqual(running.sort());
});

it("the first run leaves an adapter in PEFT's format", () => {
  expect(readdirSync(join(scratch, "capitals"))).toContain("adapter_model.safetensors");
});

function programsOf(name: string) {
  return pageOf(`docs/guide/${name}`).fences.filter(({ runs }) => runs);
}

/** What the programs of a page print. */
async function run(name: string): Promise<string> {
  const short = programOf(programsOf(name))
    .replace("...training, data: tinyData.train() })", "...training, data: tinyData.train(), steps: 1000 })")
    .replace("% 100", "% 1")
    .replace("everySteps: 50", "everySteps: 2")
    .replaceAll(/steps: 10?00\b|steps: 200\b/g, "steps: 4, warmupSteps: 0")
    .replace("spec: { steps: 4, warmupSteps: 0 }", "spec: { steps: 4 }")
    .replaceAll(/"(state|ranks\.json|(?<=save\(")capitals)"/g, (_, path: string) =>
      JSON.stringify(join(scratch, path)),
    );
  const file = join(scratch, name.replace(".md", ".mts"));
  writeFileSync(file, short);
  const { stdout } = await execa(process.execPath, ["--import", "tsx", file], {
    cwd: root,
    env: { OMP_NUM_THREADS: "1", NO_COLOR: "1", LAD_HOME: join(scratch, "home") },
  });
  return stdout;
}
