import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  arcEasy,
  type Base,
  type Benchmark,
  hellaswag,
  mmlu,
  type Row,
  type Runtime,
  runBenchmark,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../architecture/imports.js";
import {
  ARC_TASK,
  HELLASWAG_ROWS,
  HELLASWAG_TASK,
  MMLU_TASK,
  runHarness,
  writeTask,
} from "../support/lm-eval.js";
import { scratchFolder, startRuntime } from "../support/stub.js";

const DATA = resolve(root, "../shared/data");
const scratch = scratchFolder();
const tasks = join(scratch, "tasks");

interface Case {
  readonly name: string;
  readonly file: string;
  readonly rows: number;
  readonly yaml: string;
  readonly ours: (data: readonly Row[]) => Benchmark;
}

const CASES: readonly Case[] = [
  { name: "own_arc", file: "arc_easy/train", rows: 200, yaml: ARC_TASK, ours: (data) => arcEasy({ data }) },
  { name: "own_mmlu", file: "mmlu/dev", rows: 100, yaml: MMLU_TASK, ours: (data) => mmlu({ data }) },
  {
    name: "own_hellaswag",
    file: "hellaswag/validation_sample",
    rows: 100,
    yaml: HELLASWAG_TASK,
    ours: (data) => hellaswag({ data }),
  },
];

/** Of all rows, transformers computes for a quarter of an hour: a fifth of them are asked, all with LAD_ALL_ITEMS=1. */
const PART = process.env.LAD_ALL_ITEMS === "1" ? 1 : 5;

/** Sums of float32 in another order differ by so much, in nats. */
const ROUNDING = 2e-3;

let runtime: Runtime;
let base: Base;

beforeAll(async () => {
  runtime = await startRuntime(join(scratch, "state"));
  base = await runtime.loadBase("smollm2-135m");
});

afterAll(() => runtime?.close());

describe.skipIf(!existsSync(DATA))(
  "SmolLM2's likelihoods (skipped where the development data is not)",
  () => {
    it.each(CASES)(
      `are those of lm-eval with transformers on $rows / ${PART} items of $file`,
      async ({ name, file, rows: all, yaml, ours }) => {
        const count = all / PART;
        const lines = readFileSync(join(DATA, `${file}.jsonl`), "utf8")
          .split("\n")
          .slice(0, count);
        const rows = lines.map((line) => JSON.parse(line) as Row);
        writeTask(tasks, name, rows, yaml);
        writeFileSync(join(tasks, "hellaswag_rows.py"), HELLASWAG_ROWS);
        const args = { pretrained: "smollm2-135m", dtype: "float32", device: "cpu" };
        const [theirs] = await runHarness(scratch, {
          model: "hf",
          args,
          task: name,
          folder: tasks,
          batch: 8,
        });
        const { autoregressive } = await runBenchmark({ benchmark: ours(rows), models: { base } });
        const told = `${autoregressive.accuracy.value} against ${theirs?.results["acc,none"]}`;
        console.log(`${name}: ${told}, n = ${count}`);
        for (const [i, { filtered_resps }] of (theirs?.samples ?? []).entries()) {
          for (const [k, [value]] of filtered_resps.entries()) {
            const own = autoregressive.items[i]?.logLikelihoods?.[k] ?? Number.NaN;
            expect(Math.abs(own - value), `choice ${k} of item ${i}`).toBeLessThan(
              ROUNDING * (1 + Math.abs(value) / 100),
            );
          }
        }
        expect(theirs?.samples).toHaveLength(count);
        expect(autoregressive.accuracy.value).toBe(theirs?.results["acc,none"]);
        expect(autoregressive.accuracyByCharacters?.value).toBe(theirs?.results["acc_norm,none"]);
        expect(autoregressive.accuracyByBytes?.value).toBe(theirs?.results["acc_bytes,none"]);
      },
    );
  },
);
