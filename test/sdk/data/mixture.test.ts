import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hub, jsonl, type MixtureOptions, mixture, parseExperiment } from "../../../sdk/src/index.js";
import { DataService } from "../../../sdk/src/wire.js";
import { testFolder } from "../support/folders.js";
import { stubWorker } from "../support/stub-worker.js";

const ID = "ab".repeat(32);
const examples = [{ instruction: "add 1 and 1", output: "2" }];
const source = { data: examples, share: 1 };

/** A worker that mixes everything to the same data set of `made` examples. */
async function mixing(made = 10, endedBy = "") {
  const worker = await stubWorker();
  worker.transport.onCall(DataService.mixDataset, ({ mixture: spec }) => ({
    datasetId: ID,
    report: {
      examples: BigInt(made),
      endedBy,
      sources: (spec?.sources ?? []).map(({ name }) => ({
        name,
        share: 0.5,
        read: 20n,
        tooLong: 1n,
        contaminated: 2n,
        duplicates: 3n,
        nearDuplicates: 4n,
        kept: 10n,
        used: 5n,
        repeated: 0n,
      })),
    },
  }));
  return worker;
}

async function file(...rows: unknown[]): Promise<string> {
  const path = join(testFolder(), "benchmark.jsonl");
  await writeFile(path, rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row))).join("\n"));
  return path;
}

describe("a benchmark's split on the hub", () => {
  const excluding = async (...rows: readonly object[]) => {
    const { base, transport } = await mixing();
    transport.onStream(DataService.readHubRows, async function* () {
      yield { rows: rows.map((row) => JSON.stringify(row)) };
    });
    const benchmark = hub("openai/gsm8k", { config: "main", split: "test" });
    await base.dataset(mixture({ sources: { gsm: source }, without: [benchmark] }));
    const [request] = transport.requestsOf(DataService.mixDataset);
    return { base, ids: request?.mixture?.contamination?.datasetIds };
  };

  it("is left out by its questions, whatever their column is called", async () => {
    const { base, ids } = await excluding({ question: "2 + 2?", answer: "4" }, { ctx: "Boil", endings: [] });
    const prompts = ["2 + 2?", "Boil"].map((instruction) => ({ instruction, output: "" }));
    expect(ids).toEqual([(await base.dataset(prompts)).id]);
  });

  it("is refused by the number of a row without a question", async () => {
    await expect(excluding({ question: "2 + 2?" }, { label: 1 })).rejects.toThrow(
      "openai/gsm8k: row 1 has none of instruction, question, ctx, problem, prompt and messages (its columns: label).",
    );
  });
});

describe("a mixture", () => {
  it("is sent complete, with the data sets of its sources and the base that counts its tokens", async () => {
    const { base, transport } = await mixing();
    const data = mixture({
      sources: { gsm: { ...source, maxPromptTokens: 9 }, t0: { data: { id: ID, examples: 3 }, share: 0.7 } },
      examples: 10,
      deduplicate: { near: {} },
    });
    const { id } = await base.dataset(examples);
    expect(await base.dataset(data)).toEqual({ id: ID, examples: 10 });
    expect(transport.requestsOf(DataService.mixDataset)).toEqual([
      {
        baseId: base.id,
        mixture: {
          sources: [
            { name: "gsm", datasetId: id, share: 1, maxPromptTokens: 9, maxAnswerTokens: 0, maxRepeats: 3 },
            { name: "t0", datasetId: ID, share: 0.7, maxPromptTokens: 0, maxAnswerTokens: 0, maxRepeats: 3 },
          ],
          seed: 0n,
          examples: 10n,
          exactDuplicates: true,
          nearDuplicates: { threshold: 0.8, shingleWords: 5, permutations: 128 },
          contamination: { datasetIds: [], overlapWords: 13 },
        },
      },
    ]);
  });

  it("may be made without a base, and finds exact duplicates where nothing is said of them", async () => {
    const { runtime, transport } = await mixing();
    await runtime.dataset(mixture({ sources: { gsm: source } }));
    const [request] = transport.requestsOf(DataService.mixDataset);
    expect(request).toMatchObject({
      baseId: "",
      mixture: { exactDuplicates: true, nearDuplicates: undefined },
    });
  });

  it("reports plain numbers", async () => {
    const { base } = await mixing();
    const { dataset, report } = await base.mix(mixture({ sources: { gsm: source } }));
    expect(dataset).toEqual({ id: ID, examples: 10 });
    expect(report).toEqual({
      examples: 10,
      endedBy: "",
      sources: [
        {
          name: "gsm",
          share: 0.5,
          read: 20,
          tooLong: 1,
          contaminated: 2,
          duplicates: 3,
          nearDuplicates: 4,
          kept: 10,
          used: 5,
          repeated: 0,
        },
      ],
    });
  });

  it("warns once where it has fewer examples than were asked for", async () => {
    const { base, warnings } = await mixing(7, "gsm");
    const data = mixture({ sources: { gsm: source }, examples: 10 });
    await base.dataset(data);
    await base.dataset(data);
    expect(warnings).toEqual([
      "The mixture has 7 of 10 examples: the source gsm is used up. Give it a larger maxRepeats or a smaller share.",
    ]);
  });

  it.each<[string, unknown, string]>([
    ["no sources", { sources: {} }, "data.mixture.sources is {}: it must be an object of 1 to 256 sources."],
    [
      "no share",
      { sources: { a: { data: examples } } },
      "data.mixture.sources.a.share is missing: it is required.",
    ],
    [
      "a share of zero",
      { sources: { a: { ...source, share: 0 } } },
      "data.mixture.sources.a.share is 0: it must be a number above 0 and at most 1000000.",
    ],
    [
      "a huge share",
      { sources: { a: { ...source, share: 1e9 } } },
      "data.mixture.sources.a.share is 1000000000: it must be a number above 0",
    ],
    [
      "an empty source",
      { sources: { a: { data: [], share: 1 } } },
      "data.mixture.sources.a.data is []: it must be a list of at least one example.",
    ],
    [
      "a mixture within",
      { sources: { a: { data: mixture({ sources: { b: source } }), share: 1 } } },
      "data.mixture.sources.a.data",
    ],
    ["a name that is none", { sources: { "a b": source } }, "data.mixture.sources.a b"],
    ["a word that is none", { sources: { a: source }, seeds: 1 }, "Did you mean seed?"],
  ])("with %s is refused where it stands", async (_, options, error) => {
    const { base, transport } = await mixing();
    await expect(base.dataset(mixture(options as MixtureOptions))).rejects.toThrow(error);
    expect(transport.requestsOf(DataService.mixDataset)).toEqual([]);
  });
});

describe("the benchmarks that a mixture keeps out", () => {
  it("are read in their own columns", async () => {
    const { base, transport } = await mixing();
    const path = await file(
      { id: "ARC_1", question: "Which factor?", choices: { text: ["a"], label: ["A"] }, answerKey: "A" },
      { question: { stem: "Which stem?" } },
      { ctx: "The man then", endings: ["a", "b"] },
      { problem: "Find x.", solution: "1" },
      { instruction: "Add", input: "1 and 2", output: "3" },
      {
        messages: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: "Ho" },
        ],
      },
      "",
    );
    const prompts = ["Which factor?", "Which stem?", "The man then", "Find x.", "Add\n1 and 2", "Hi"];
    const { id } = await base.dataset(prompts.map((instruction) => ({ instruction, output: "" })));
    await base.dataset(mixture({ sources: { gsm: source }, without: [jsonl(path)] }));
    const [request] = transport.requestsOf(DataService.mixDataset);
    expect(request?.mixture?.contamination?.datasetIds).toEqual([id]);
  });

  it.each<[string, unknown[], string]>([
    [
      "has no prompt",
      [{ question: "Q" }, { text: "T", n: 1 }],
      "line 2 has none of instruction, question, ctx, problem, prompt and messages (its columns: text, n)",
    ],
    ["is not JSON", ["{"], "line 1 is not JSON"],
    ["is empty", [], "it has no rows"],
  ])("a file that %s is refused with its line", async (_, rows, problem) => {
    const { base } = await mixing();
    const path = await file(...rows);
    const data = mixture({ sources: { gsm: source }, without: [jsonl(path)] });
    await expect(base.dataset(data)).rejects.toMatchObject({
      code: "invalid-data",
      message: expect.stringContaining(`${path}: ${problem}.`),
    });
  });

  it("a file that is not there is not found", async () => {
    const { base } = await mixing();
    const data = mixture({ sources: { gsm: source }, without: [jsonl("/nowhere.jsonl")] });
    await expect(base.dataset(data)).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("a mixture in an experiment's file", () => {
  const yaml = `
base: stub
adapter: { rank: 4 }
training:
  data:
    mixture:
      seed: 7
      sources:
        gsm: { data: { jsonl: gsm.jsonl }, share: 0.3, maxPromptTokens: 128 }
        t0: { data: { hub: { name: org/t0 } }, share: 0.7 }
      deduplicate: { near: { threshold: 0.9 } }
      without: [{ jsonl: arc.jsonl }]
`;

  it("is what the builders make", () => {
    expect(parseExperiment(yaml).training.data).toEqual(
      mixture({
        seed: 7,
        sources: {
          gsm: { data: jsonl("gsm.jsonl"), share: 0.3, maxPromptTokens: 128 },
          t0: { data: hub("org/t0"), share: 0.7 },
        },
        deduplicate: { near: { threshold: 0.9 } },
        without: [jsonl("arc.jsonl")],
      }),
    );
  });

  it("names the line of what is wrong in it, and of a name that stands twice", () => {
    expect(() => parseExperiment(yaml.replace("share: 0.7", "share: 0"))).toThrow(
      /line 10: .*t0\.share is 0/,
    );
    expect(() => parseExperiment(yaml.replace("        t0:", "        gsm:"))).toThrow(
      /Map keys must be unique/,
    );
  });
});
