/** Mixtures and inspections with a real worker: data like any other, and reports that agree with what a run sees. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Base,
  type Example,
  jsonl,
  maskOnly,
  mixture,
  type Runtime,
  readExperiment,
  runExperiment,
  workerJsonl,
} from "lad";
import { inspectionText, mixtureText } from "lad/report";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFiles, collected, EXAMPLES, scratchFolder, startRuntime, untimed } from "../support/stub.js";

const scratch = scratchFolder();

let runtime: Runtime;
let base: Base;
/** The same examples in a file, once here and once as one that the worker reads itself. */
let path: string;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
  path = join(scratch, "more.jsonl");
  const more = Array.from({ length: 12 }, (_, n) => ({ instruction: `say ${n}`, output: `${n} ${n}` }));
  await writeFile(path, more.map((example) => `${JSON.stringify(example)}\n`).join(""));
});

afterAll(() => runtime?.close());

function mixed() {
  return mixture({
    sources: {
      given: { data: EXAMPLES, share: 0.25 },
      file: { data: jsonl(path), share: 0.75, maxPromptTokens: 60 },
    },
    examples: 20,
    seed: 4,
    without: [[{ instruction: "say 11", output: "" }]],
  });
}

describe("a mixture", () => {
  it("has the same bytes wherever its sources come from and in whatever order they are named", async () => {
    const { dataset, report } = await base.mix(mixed());
    const { given, file } = mixed().mixture.sources;
    if (given === undefined || file === undefined) throw new Error("the mixture has both");
    const other = { ...file, data: workerJsonl(path) };
    const turned = mixture({ ...mixed().mixture, sources: { file: other, given } });
    expect(await base.dataset(turned)).toEqual(dataset);
    expect(report.examples).toBe(20);
    expect(report.sources.map(({ name, contaminated }) => [name, contaminated])).toEqual([
      ["file", 1],
      ["given", 0],
    ]);
    expect(report.sources.map(({ used, repeated }) => used + repeated)).toEqual([15, 5]);
    expect(mixtureText(report)).toContain("20 examples.");
  });

  it("is trained on as its own data set is, and a run resumes on it to the same bits", async () => {
    const settings = { windowTokens: 64, batchSize: 4, warmupSteps: 0, learningRate: 0.05, seed: 3 };
    const fresh = () => base.createAdapter({ rank: 2, seed: 7 });
    await using whole = await fresh();
    const events = await collected(whole.train({ ...settings, data: mixed(), steps: 40 }));
    await using plain = await fresh();
    const { dataset } = await base.mix(mixed());
    expect(untimed(await collected(plain.train({ ...settings, data: dataset, steps: 40 })))).toEqual(
      untimed(events),
    );

    const checkpoint = { name: "mixed", everySteps: 3 };
    const first = await fresh();
    for await (const event of first.train({ ...settings, data: mixed(), steps: 40, checkpoint })) {
      if (event.type === "checkpoint") break; // which cancels the run
    }
    await first.drop();
    await using resumed = await fresh();
    const again = { ...checkpoint, resume: true };
    const rest = await collected(resumed.train({ ...settings, data: mixed(), steps: 40, checkpoint: again }));
    const steps = rest.flatMap((event) => (event.type === "step" ? [event.step] : []));
    expect(steps[0]).toBeGreaterThan(3);
    const [files, expected] = await Promise.all([whole, resumed].map((each) => adapterFiles(each, scratch)));
    expect(files).toEqual(expected);
  });

  it("validates, and gives questions and prompts to answer", async () => {
    const { data } = await base.validate({ data: mixed(), windowTokens: 64 });
    expect(data.examples).toBe(20);
    expect(await base.questions(mixed(), { limit: 3 })).toHaveLength(3);
    const folder = await mkdtemp(join(scratch, "written-"));
    const { data: written } = await base.writeAnswers({
      prompts: mixed(),
      folder,
      answerTokens: 4,
      cut: "keep",
    });
    const rows = (await readFile(written.jsonl, "utf8")).trim().split("\n");
    const sources = rows.map((row) => (JSON.parse(row) as Example).source);
    expect(sources).toHaveLength(20);
    expect(sources.filter((name) => name === "given")).toHaveLength(5);
  });

  it("with limits in tokens needs a base", async () => {
    await expect(runtime.dataset(mixed())).rejects.toMatchObject({
      code: "invalid-option",
      option: "sources.file",
    });
  });

  it("leaves near-duplicates out", async () => {
    const text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
    const data = [text, text.toUpperCase(), `${text}!`, "something else"].map((instruction) => ({
      instruction,
      output: "",
    }));
    const deduplicate = { near: { threshold: 0.9 } };
    const { report } = await base.mix(mixture({ sources: { all: { data, share: 1 } }, deduplicate }));
    expect(report.sources[0]).toMatchObject({ read: 4, nearDuplicates: 2, kept: 2 });
  });

  it("stands in an experiment's file, with paths from the file's folder", async () => {
    const folder = await mkdtemp(join(scratch, "experiment-"));
    await writeFile(join(folder, "data.jsonl"), await readFile(path));
    await writeFile(
      join(folder, "experiment.yaml"),
      `base: stub
adapter: { rank: 2, seed: 1 }
training:
  data:
    mixture:
      sources:
        a: { data: { jsonl: data.jsonl }, share: 1 }
  windowTokens: 64
  steps: 2
  batchSize: 2
  warmupSteps: 0
`,
    );
    const experiment = await readExperiment(join(folder, "experiment.yaml"));
    const [row] = await runExperiment(runtime, experiment).table();
    expect(row?.status).toBe("done");
  });
});

describe("an inspection", () => {
  const options = { windowTokens: 64, noise: maskOnly(), seed: 3 } as const;

  it("agrees with the preparation of the same data, and with the examples themselves", async () => {
    const inspection = await base.inspect(mixed(), options);
    const window = { windowTokens: 64 };
    const report = await base.prepare(mixed(), window);
    const { examples, kept, promptTokens, answerTokens, tailTokens } = inspection.whole;
    expect({ examples, kept, promptTokens, answerTokens, tailTokens }).toEqual({
      examples: report.examples,
      kept: report.kept,
      promptTokens: report.promptTokens,
      answerTokens: report.answerTokens,
      tailTokens: report.tailTokens,
    });
    expect(inspection.sources.map(({ name }) => name)).toEqual(["file", "given"]);
    expect(inspection.noise.supervisedEnds).toBe(kept);
    const prepared = await collected(base.examples(mixed(), window));
    for (const { row, segments } of inspection.shown) {
      const ids = prepared.find(({ id }) => id === BigInt(row))?.ids ?? [];
      expect(segments.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(ids.length);
      expect(segments.map(({ text }) => text).join("")).toBe((await base.pieces(ids)).join(""));
      expect(segments.some(({ shown }) => shown === "masked")).toBe(true);
    }
  });

  it("is the same again, and reads as text", async () => {
    const inspection = await base.inspect(mixed(), options);
    expect(await base.inspect(mixed(), options)).toEqual(inspection);
    const text = inspectionText(inspection);
    expect(text).toContain("20 examples: 20 become windows");
    expect(text).toMatch(/The end of an answer \(.+\) is supervised in 20 of 20 examples/);
    const hidden = inspection.shown
      .flatMap(({ segments }) => segments)
      .find(({ shown }) => shown === "masked");
    expect(text).toContain(`⟦mask ×${hidden?.tokens} ← ${hidden?.text.replaceAll("\n", "↵")}⟧`);
    expect(text).toContain("row 3 of ");
  });

  it("says when nothing teaches where an answer stops", async () => {
    const data = [{ instruction: "say", output: "x".repeat(100) }];
    const cut = { tooLong: "truncate", windowTokens: 32 } as const;
    const inspection = await base.inspect(data, cut);
    expect(inspection.noise.ends).toBe(0);
    expect(inspectionText(inspection)).toContain("Nothing teaches where an answer stops");
  });

  it("refuses what the worker would, and loss and noise that do not fit", async () => {
    await expect(base.inspect(mixed(), { windowTokens: 2 })).rejects.toMatchObject({ code: "invalid-data" });
    const loss = { weighting: "inverse-time" } as const;
    await expect(base.inspect(mixed(), { loss })).rejects.toMatchObject({ option: "loss.weighting" });
  });
});
