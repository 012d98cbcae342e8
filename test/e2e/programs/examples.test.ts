import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { type Runtime, readExperiment, recipeFor, refine, runExperiment, speculative } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARC_ROWS } from "../support/benchmark-rows.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const root = resolve(import.meta.dirname, "../../..");
const scratch = scratchFolder();

/** Computes what examples should come to. */
let runtime: Runtime;
beforeAll(async () => {
  runtime = await startRuntime(join(scratch, "state"));
});
afterAll(() => runtime?.close());

/** Runs an example as the README does. */
function example(name: string, ...words: string[]) {
  const command = ["--import", "tsx", join("examples", name), ...words];
  return execa(process.execPath, command, { cwd: root, env: { OMP_NUM_THREADS: "1" } });
}

describe("the examples, on the stub", () => {
  it("train-and-sample trains, saves in PEFT's format and answers", async () => {
    const folder = join(scratch, "adapter");
    const { stdout, stderr } = await example(
      "train-and-sample.ts",
      "--base",
      "stub",
      "--steps",
      "3",
      "--save",
      folder,
    );
    expect(stdout).toMatch(/^validation CE \d+\.\d{3} nats a corrupted token$/m);
    expect(stdout).toMatch(/^remask: /m);
    expect(stderr).toContain("training  ");
    expect(readdirSync(folder).sort()).toEqual([
      "README.md",
      "adapter_config.json",
      "adapter_model.safetensors",
      "lad.json",
    ]);
  });

  it("edit-and-infill leaves what is fixed and fills in the rest, a call each", async () => {
    const { stdout } = await example("edit-and-infill.ts", "--base", "stub", "--steps", "3");
    const [middle, sentence, span, form, ...rest] = stdout.split(/\n(?=the |a )/);
    expect(rest).toEqual([]);
    expect(middle).toMatch(/^the middle \(gaps of 4 tokens\): The capital of Peru is Lima\. The capital of/);
    expect(middle).toMatch(/ The capital of Russia is Moscow\.$/);
    expect(sentence).toContain(" The capital of Kenya is Nairobi.");
    expect(span).toMatch(/\. The capital of Kenya is Nairobi\.$/);
    expect(form).toMatch(/^a form \(gaps of [1-3], [1-3], [1-3] tokens\): The capital of Peru is/);
  });

  it("custom-noise trains with the primitives alone", async () => {
    const { stdout } = await example("custom-noise.ts", "--base", "stub", "--steps", "3");
    expect(stdout).toMatch(/^step 3: loss \d\.\d{3} over \d+ tokens$/);
  });

  it("custom-sampler draws every round and prints the answer", async () => {
    const { stdout, stderr } = await example("custom-sampler.ts", "--base", "stub", "--steps", "3");
    expect(stderr).toMatch(/sharpening .* 1\/12/);
    expect(stdout.length).toBeGreaterThan(0);
  });

  it.each(["0", "0.8"])(
    "speculation writes what the policy speculative does, at temperature %s",
    async (heat) => {
      const folder = join(scratch, `drafter-${heat}`);
      const base = await runtime.loadBase("stub");
      const adapter = await base.createAdapter({ rank: 4, seed: 1 });
      const { training, answerTokens } = recipeFor("stub");
      const options = {
        ...training,
        attention: "causal-prefix",
        data: [{ instruction: "a", output: "b c" }],
      } as const;
      await adapter.train({ ...options, steps: 5, learningRate: 0.05 }).result();
      await adapter.save(folder);
      const words = [
        "--base",
        "stub",
        "--adapter",
        folder,
        "--temperature",
        heat,
        "--seed",
        "3",
        "--question",
        "a",
      ];
      const { stdout } = await example("speculation.ts", ...words);
      const settings = {
        answerTokens,
        attention: "causal-prefix",
        temperature: Number(heat),
        seed: 3,
      } as const;
      const run = adapter.sample({ messages: "a", policy: speculative(), ...settings });
      expect(JSON.parse(stdout.split("\n").at(-1) ?? "")).toEqual((await run.result()).canvasIds);
    },
  );

  it("sweep-lora-ranks prints a table, and with --json a line a rank and nothing else", async () => {
    const words = ["--base", "stub", "--ranks", "2,4", "--questions", "4", "--minutes", "9"];
    const { stdout, stderr } = await example("sweep-lora-ranks.ts", ...words, "--json");
    const rows = stdout.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map((row) => row.rank)).toEqual([2, 4]);
    const figures = { perplexity: expect.any(Number), distinct2: expect.any(Number), exactMatch: 0 };
    const iterations = { "1": figures, "4": figures, "16": figures };
    const all = expect.any(Number);
    const sizes = { rank: 2, trainableParameters: 224, tokensPerSecond: all, accountedBytes: all };
    const losses = { trainCe: all, validationCe: all, baseCe: all };
    const answers = {
      refine: iterations,
      remask: iterations,
      autoregressive: figures,
      speculative: { tokensPerForward: all },
    };
    expect(rows[0]).toEqual({ ...sizes, ...losses, ...answers });
    expect(stderr).toMatch(/^about \d+:\d\d on this machine: 4 steps for each rank$/m);
    expect(stderr).toMatch(/^rank 2 .* 4\/4 {2}loss/m);
    expect(stderr).toMatch(/^rank 4 .* 16\/16$/m);
  });

  it("mix-and-inspect tells what a mixture is made of and what training sees", async () => {
    const { stdout } = await example("mix-and-inspect.ts", "--base", "stub");
    expect(stdout).toContain("1,000 examples.");
    expect(stdout).toMatch(/^own +10\.0 % .* 99$/m);
    expect(stdout).toMatch(/^The windows are .* prompt/m);
  });

  it("each tell what they take, and how they are called where a flag is misspelt", async () => {
    const names = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"));
    for (const name of names.filter((name) => name !== "command-line.ts")) {
      const source = readFileSync(join(root, "examples", name), "utf8");
      expect(source, name).toContain("= commandLine(import.meta.url, {");
      expect(source, name).toContain(` *     npx tsx examples/${name} `);
    }
    const { stdout } = await example("mix-and-inspect.ts", "--help");
    expect(stdout).toContain("npx tsx examples/mix-and-inspect.ts [--base tiny]");
    const wrong = await example("mix-and-inspect.ts", "--bse", "stub").catch((error: unknown) => error);
    const usage = "Unknown option '--bse'.\nnpx tsx examples/mix-and-inspect.ts [--base tiny]";
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(usage) });
  });

  it("adapt-pretrained goes on where its time was up, and reports", async () => {
    const data = join(scratch, "data");
    mkdirSync(data);
    const rows = EXAMPLES.map((row) => JSON.stringify(row)).join("\n");
    for (const name of ["train", "validation"]) writeFileSync(join(data, `${name}.jsonl`), rows);
    writeFileSync(
      join(data, "arc_easy.jsonl"),
      ARC_ROWS.slice(0, 4)
        .map((row) => JSON.stringify(row))
        .join("\n"),
    );
    const out = join(scratch, "adapted");
    const words = ["--base", "stub", "--steps", "60", "--rank", "2", "--data", data, "--out", out];
    const first = await example("adapt-pretrained.ts", ...words, "--minutes", "0.00001");
    expect(first.stderr).toContain("Interrupted.");
    const second = await example("adapt-pretrained.ts", ...words);
    expect(second.stdout).toContain(`The report: ${join(out, "report/index.html")}`);
    expect(second.stderr).toMatch(/60\/60/);
    const report = readFileSync(join(out, "report/report.md"), "utf8");
    expect(report).toContain("ARC-Easy by letter");
    expect(readdirSync(join(out, "adapter"))).toContain("adapter_model.safetensors");
  });

  it("experiment.yaml reads, and runs with other values put in place", async () => {
    const experiment = await readExperiment(join(root, "examples/experiment.yaml"));
    const small = { ...experiment.training, steps: 2, warmupSteps: 0, windowTokens: 160 };
    const sampling = [{ policy: refine({ iterations: 2 }), answerTokens: 8 }];
    const evaluation = experiment.evaluation && { ...experiment.evaluation, maxExamples: 2, sampling };
    const stub = { ...experiment, base: "stub", training: small, evaluation };
    const rows = await runExperiment(runtime, stub).table();
    expect(rows.map((row) => row.point)).toEqual([4, 16, 64].map((rank) => ({ "adapter.rank": rank })));
    expect(rows.map((row) => row.status)).toEqual(["done", "done", "done"]);
  });
});
