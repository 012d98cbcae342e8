/** Weights of examples, files of other columns, splits and refusals of what cannot be read, on a real worker. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  applyNoise,
  type Base,
  csv,
  type DataSource,
  type InstructionExample,
  jsonl,
  lad,
  type PreparedExample,
  type Runtime,
  split,
  targeted,
  trainingLoop,
  workerJsonl,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adapterFiles,
  collected,
  EXAMPLES,
  scratchFolder,
  startRuntime,
  untimed,
} from "./../support/stub.js";

const scratch = scratchFolder();
const window = { windowTokens: 48 };
const weights = [2, 0, 1, 0.25];
const WEIGHTED: InstructionExample[] = Array.from({ length: 8 }, (_, i) => ({
  instruction: `Say ${i}.`,
  output: `${i}, ${i}`,
  weight: weights[i % 4] ?? 1,
}));
const plain = WEIGHTED.map(({ weight: _, ...example }) => example);

let runtime: Runtime;
let base: Base;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
});

afterAll(() => runtime?.close());

function file(text: string): string {
  const path = join(mkdtempSync(join(scratch, "file-")), "data");
  writeFileSync(path, text);
  return path;
}

const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

describe("the weight of an example", () => {
  it("multiplies its part of a gradient: rows of weighted data, and the plain sequences weighted by hand", async () => {
    const rows = [0, 1, 2, 3];
    const given = { ...window, rows, noise: lad(), loss: "all-answer-tokens", seed: 9, epoch: 1 } as const;
    const all = await collected(base.examples(plain, window));
    const clean = rows.filter((row) => row !== 1).map((row) => all[row] as PreparedExample);
    const { maskTokenId, vocabSize } = base.info;
    const shown = clean.map((example) =>
      applyNoise(example, lad(), { seed: 9n, epoch: 1, maskTokenId, vocabSize }),
    );
    const loss = { supervise: "all-answer-tokens", tail: true, tailWeight: 1, weighting: "uniform" } as const;
    const byHand = targeted(clean, shown, loss).map((sequence, i) => ({
      ...sequence,
      weights: sequence.weights.map((w) => w * ([2, 1, 0.25][i] ?? 1)),
    }));
    await using ofRows = await base.createAdapter({ rank: 2 });
    await using ofSequences = await base.createAdapter({ rank: 2 });
    const { loss: weighted } = await ofRows.forwardBackward({ ...given, data: WEIGHTED });
    expect(weighted).toBe((await ofSequences.forwardBackward({ sequences: byHand })).loss);
    await ofRows.optimStep({ learningRate: 0.01 });
    await ofSequences.optimStep({ learningRate: 0.01 });
    expect(await adapterFiles(ofRows, scratch)).toEqual(await adapterFiles(ofSequences, scratch));
  });

  it("counts in a run as in the same loop in TypeScript, in validation, and inline as in a file", async () => {
    const training = {
      ...window,
      steps: 3,
      batchSize: 4,
      warmupSteps: 0,
      seed: 3,
      learningRate: 0.05,
    } as const;
    await using ofRun = await base.createAdapter({ rank: 2 });
    await using ofLoop = await base.createAdapter({ rank: 2 });
    await using ofPlain = await base.createAdapter({ rank: 2 });
    const run = await collected(ofRun.train({ ...training, data: WEIGHTED }));
    const loop = await collected(trainingLoop(ofLoop, { ...training, data: jsonl(file(lines(WEIGHTED))) }));
    expect(untimed(loop)).toEqual(untimed(run));
    await ofPlain.train({ ...training, data: plain }).result();
    const trained = await adapterFiles(ofRun, scratch);
    expect(await adapterFiles(ofLoop, scratch)).toEqual(trained);
    expect(await adapterFiles(ofPlain, scratch)).not.toEqual(trained);
  });

  it("of 1 is as none, and of 0 as if the example were not validated", async () => {
    await using adapter = await base.createAdapter({ rank: 2 });
    const report = async (data: DataSource) => (await adapter.validate({ data, ...window })).report;
    const keyed = plain.map((example, id) => ({ ...example, id }));
    expect(await report(keyed.map((example) => ({ ...example, weight: 1 })))).toEqual(await report(plain));
    const { tokens: _, ...muted } = await report(keyed.map((one) => ({ ...one, weight: one.id % 2 })));
    const { tokens: __, ...without } = await report(keyed.filter(({ id }) => id % 2 === 1));
    expect(muted).toEqual(without);
  });
});

describe("files", () => {
  it("of other columns, of separated values and of the worker's machine are the same examples", async () => {
    const fields = { instruction: "question", output: "answer", weight: "w" };
    const other = lines(
      WEIGHTED.map(({ instruction, output, weight }) => ({
        question: instruction,
        answer: output,
        w: weight,
        id: "x",
      })),
    );
    const table = WEIGHTED.map((one) => `"${one.instruction}","${one.output}",${one.weight}\n`).join("");
    const wanted = await collected(base.examples(WEIGHTED, window));
    for (const data of [
      jsonl(file(other), { fields }),
      workerJsonl(file(other), { fields }),
      csv(file(`question,answer,w\n${table}`), { fields }),
      csv(file(`instruction,output,weight\n${table}`)),
    ]) {
      expect(await collected(base.examples(data, window))).toEqual(wanted);
    }
  });

  it("with a key that may not be ignored are refused by file, line and key", async () => {
    const path = file(
      `${lines(EXAMPLES.slice(0, 2))}{"instruction":"q","inptu":"i","output":"a","source":"web"}\n`,
    );
    await expect(runtime.dataset(jsonl(path))).rejects.toMatchObject({
      code: "invalid-data",
      option: "data",
      value: path,
      message: expect.stringContaining(`Line 3 of ${path}: there is no key inptu. Did you mean input?`),
    });
    const table = file('instruction,output,id\n"a\nb",b,1\nc,d,1.5\n');
    await expect(runtime.dataset(csv(table))).rejects.toThrow(
      `Row 2 of ${table}: id "1.5" is no whole number`,
    );
  });

  it("tell their mistakes together, each with its line or row", async () => {
    const path = file(
      `${lines(EXAMPLES.slice(0, 1))}[]\n{"instruction":"q"}\n{"instruction":"q","output":1}\n`,
    );
    await expect(runtime.dataset(jsonl(path))).rejects.toThrow(
      `Line 2 of ${path}: it is not a JSON object. 2 more lines are wrong: line 3: output is missing; line 4: output is not text.`,
    );
    const table = file("instruction,output,id\na,b,1.5\nc,d,2.5\n");
    await expect(runtime.dataset(csv(table))).rejects.toThrow(
      /^Row 1 of .*1 more line is wrong: row 2: id "2\.5"/,
    );
  });

  it("are split into parts that together are the whole", async () => {
    const data = workerJsonl(file(lines(plain)));
    const { train, validation } = split(data, { validation: 0.4, seed: 2 });
    const texts = async (part: DataSource) =>
      (await collected(base.examples(part, window))).map(({ ids }) => ids.join());
    const [first, second] = [await texts(train), await texts(validation)];
    expect([...first, ...second].sort()).toEqual((await texts(data)).sort());
    expect(Math.min(first.length, second.length)).toBeGreaterThan(0);
  });
});

describe("half of a surrogate pair", () => {
  it("is refused in messages, answers and texts as in a file", async () => {
    const half = "\ud83d";
    const whole = "half of a surrogate pair";
    await expect(runtime.dataset(jsonl(file(lines([{ instruction: half, output: "a" }]))))).rejects.toThrow(
      whole,
    );
    for (const messages of [half, [{ role: "user", content: half }] as const]) {
      await expect((async () => base.sample({ messages }).result())()).rejects.toMatchObject({
        code: "invalid-option",
        message: expect.stringContaining(whole),
      });
    }
    expect(() => base.sample({ messages: "q", draft: half })).toThrow(whole);
    await expect(base.encode(half)).rejects.toThrow(whole);
    expect(await base.encode("\ud83d\ude00")).not.toEqual([]);
  });
});
