import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import {
  type Adapter,
  arcEasy,
  type Base,
  compareRuns,
  gsm8k,
  monteCarlo,
  pseudoLikelihood,
  type Row,
  type Runtime,
  refine,
  remask,
  runBenchmark,
  shortAnswer,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itemsOf } from "../../../sdk/src/benchmarks/items.js";
import { pythonOfCheckout, root } from "../../../sdk/tools/checkout.js";
import { ARC_ROWS, GSM_ROWS } from "../support/benchmark-rows.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const training = { data: EXAMPLES, windowTokens: 48, batchSize: 4, warmupSteps: 0 };
const arc = arcEasy({ data: ARC_ROWS, shots: 1 });

let runtime: Runtime;
let base: Base;
let adapter: Adapter;
let next = 0;

beforeAll(async () => {
  runtime = await startRuntime(join(scratch, "state"));
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 4, seed: 3 });
  await adapter.train({ ...training, learningRate: 0.05, steps: 6 }).result();
});

afterAll(() => runtime?.close());

function fresh(): string {
  return join(scratch, `results-${next++}`);
}

/** The base `stub` as a folder of files, without its chat template. */
async function folderWithoutTemplate(): Promise<string> {
  const { python, env } = pythonOfCheckout();
  const folder = join(scratch, "without-template");
  mkdirSync(folder);
  const program = [
    "import sys, pathlib",
    "from lad_runtime.torch_backend.loading.stub import write_stub",
    "write_stub(pathlib.Path(sys.argv[1]), 0)",
  ];
  await execa(python, ["-c", program.join("\n"), folder], { env });
  const settings = join(folder, "tokenizer_config.json");
  const { chat_template: _, ...rest } = JSON.parse(readFileSync(settings, "utf8"));
  writeFileSync(settings, JSON.stringify(rest));
  return folder;
}

/** What a folder keeps, byte for byte. */
function kept(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );
}

describe("a benchmark by likelihood", () => {
  it("is scored as the choices behind the prompt are by `score`, beside the base without an adapter", async () => {
    const data = ARC_ROWS.slice(0, 6);
    const { n, models, autoregressive } = await runBenchmark({
      benchmark: arcEasy({ data }),
      models: { adapter },
    });
    expect(n).toBe(6);
    for (const [model, score] of [
      [adapter, models.adapter],
      [base, autoregressive],
    ] as const) {
      for (const [i, { question, choices, answerKey }] of data.entries()) {
        const ids = await base.encode(`Question: ${question}\nAnswer:`);
        const items = choices.text.map((text) => ({ ids, continuation: ` ${text}` }));
        const likelihoods = (await model.score({ items })).map(({ logLikelihood }) => logLikelihood);
        expect(score.items[i]?.logLikelihoods).toEqual(likelihoods);
        const best = likelihoods.indexOf(Math.max(...likelihoods));
        expect(score.items[i]?.correct).toBe(choices.label[best] === answerKey);
        const each = likelihoods.map((value, k) => value / Buffer.byteLength(choices.text[k] ?? ""));
        expect(score.items[i]?.correctByBytes).toBe(
          choices.label[each.indexOf(Math.max(...each))] === answerKey,
        );
      }
      const hits = score.items.filter(({ correct }) => correct).length;
      expect(score.accuracy).toMatchObject({ value: hits / 6, n: 6, by: "wilson" });
    }
    expect(models.adapter.items).not.toEqual(autoregressive.items);
    expect(models.adapter.difference).toMatchObject({
      value: models.adapter.accuracy.value - autoregressive.accuracy.value,
      by: "newcombe",
    });
    expect(autoregressive.difference.value).toBe(0);
  });

  it("keeps the same bytes for 1, 4 and 16 items at once, and beside a training run", async () => {
    const folders = [fresh(), fresh(), fresh(), fresh()];
    const [alone = "", four = "", sixteen = "", beside = ""] = folders;
    const run = (folder: string, itemsAtOnce: number) =>
      runBenchmark({ benchmark: arc, models: { adapter }, folder, itemsAtOnce });
    await run(alone, 1);
    await run(four, 4);
    await run(sixteen, 16);
    const other = await base.createAdapter({ rank: 2 });
    const busy = other.train({ ...training, steps: 100_000, detached: true });
    const id = await busy.start();
    await run(beside, 4);
    expect((await runtime.runs()).find((each) => each.id === id)?.state).toBe("running");
    await runtime.run(id).cancel();
    expect(kept(alone)["adapter.jsonl"]?.split("\n")).toHaveLength(38);
    for (const folder of folders) expect(kept(folder)).toEqual(kept(alone));
  });

  it.each([["pseudo", pseudoLikelihood()] as const, ["Monte-Carlo", monteCarlo({ samples: 3 })] as const])(
    "by the %s likelihood keeps the same bytes for 1, 4 and 16 items at once",
    async (_, likelihood) => {
      const folders = [1, 4, 16].map((itemsAtOnce) => ({ itemsAtOnce, folder: fresh() }));
      const benchmark = arcEasy({ data: ARC_ROWS.slice(0, 17) });
      for (const each of folders) await runBenchmark({ benchmark, models: { adapter }, likelihood, ...each });
      for (const { folder } of folders) expect(kept(folder)).toEqual(kept(folders[0]?.folder ?? ""));
    },
  );

  it("goes on where a killed client stopped, to the same bytes", async () => {
    const [whole, broken] = [fresh(), fresh()];
    await runBenchmark({ benchmark: arc, models: { adapter }, folder: whole });
    const { address, token } = runtime.connection;
    const script = join(root, "test/e2e/support/hold-benchmark.ts");
    const client = execa("node", ["--import", "tsx", script, address, token, adapter.id, broken], {
      cwd: root,
      reject: false,
      env: { TSX_TSCONFIG_PATH: join(root, "tsconfig.json") },
    });
    for await (const line of client) if (Number(line) >= 10) break;
    client.kill("SIGKILL");
    await client;
    const file = join(broken, "adapter.jsonl");
    const before = readFileSync(file, "utf8").split("\n").length - 1;
    expect(before).toBeGreaterThanOrEqual(10);
    expect(before).toBeLessThan(37);
    appendFileSync(file, '{"answer":"cut by a cra'); // as a crash in the middle of a write leaves it
    const { models } = await runBenchmark({ benchmark: arc, models: { adapter }, folder: broken });
    expect(models.adapter.computed).toBe(37 - before);
    expect(kept(broken)).toEqual(kept(whole));
  });

  it("computes nothing again that is kept, and reads the same result from it", async () => {
    const folder = fresh();
    const options = { benchmark: arc, models: { adapter }, folder };
    const first = await runBenchmark(options);
    const second = await runBenchmark(options);
    expect(second.models.adapter.computed).toBe(0);
    expect(second.models.adapter.items).toEqual(first.models.adapter.items);
    expect(second.models.adapter.accuracy).toEqual(first.models.adapter.accuracy);
  });

  it("refuses a folder of another configuration, naming what differs", async () => {
    const folder = fresh();
    const data = ARC_ROWS.slice(0, 2);
    await runBenchmark({ benchmark: arcEasy({ data }), models: { adapter }, folder });
    const ask = (benchmark: ReturnType<typeof arcEasy>, model: Adapter | Base) =>
      runBenchmark({ benchmark, models: { adapter: model }, folder });
    await expect(ask(arcEasy({ data, shots: 1 }), adapter)).rejects.toMatchObject({
      code: "invalid-state",
      message: expect.stringContaining("benchmark.shots is 1, there it is 0"),
    });
    const untrained = await base.createAdapter({ rank: 4, seed: 3 });
    await expect(ask(arcEasy({ data }), untrained)).rejects.toThrow("models.adapter.weights is");
    await expect(ask(arcEasy({ data }), base)).rejects.toThrow("models.adapter.weights is null");
    expect(existsSync(join(folder, "benchmark.lock"))).toBe(false);
  });

  it("identifies an adapter by its weights: one that was saved and loaded goes on in the same folder", async () => {
    const [folder, saved] = [fresh(), join(scratch, "saved")];
    await runBenchmark({ benchmark: arc, models: { adapter }, folder });
    await adapter.save(saved);
    const loaded = await base.loadAdapter(saved);
    const { models } = await runBenchmark({ benchmark: arc, models: { adapter: loaded }, folder });
    expect(models.adapter.computed).toBe(0);
  });
});

describe("a benchmark by what is written", () => {
  const by = { by: "letter", answerTokens: 6 } as const;

  it.each([["remask", remask({ iterations: 3 })] as const, ["refine", refine({ iterations: 2 })] as const])(
    "keeps the same bytes under %s for 1, 4 and 16 items at once, at a temperature, and the base is autoregressive",
    async (_, policy) => {
      const folders = [1, 4, 16].map((itemsAtOnce) => ({ itemsAtOnce, folder: fresh() }));
      const scores = [];
      for (const each of folders) {
        const options = { benchmark: arcEasy({ data: ARC_ROWS.slice(0, 17) }), models: { adapter } };
        const draw = { policy, temperature: 1, seed: 7 };
        scores.push(await runBenchmark({ ...options, ...by, ...draw, ...each }));
      }
      const [first] = folders;
      for (const { folder } of folders) expect(kept(folder)).toEqual(kept(first?.folder ?? ""));
      expect(scores[0]?.models.adapter.how).toMatchObject({ by: "letter", policy, seed: 7n });
      expect(scores[0]?.autoregressive.how).toMatchObject({ policy: { kind: "ar" }, temperature: 1 });
      expect(new Set(scores[0]?.models.adapter.items.map(({ answer }) => answer)).size).toBeGreaterThan(1);
    },
  );

  it("gives each item the answer that it has when it is asked alone", async () => {
    const data = ARC_ROWS.slice(0, 3);
    const { models } = await runBenchmark({ benchmark: arcEasy({ data }), models: { adapter }, ...by });
    const [, row] = data;
    const asked = [row?.question, ...(row?.choices.text ?? []).map((text, i) => `${"ABCD"[i]}: ${text}`)];
    const alone = await adapter
      .sample({ messages: asked.join("\n"), seed: 1, answerTokens: 6, frames: false })
      .result();
    expect(models.adapter.items[1]).toMatchObject({ answer: alone.text, tokens: alone.ids.length });
  });

  describe("at a temperature", () => {
    const draws = { ...by, temperature: 1, policy: remask({ iterations: 3 }) };
    const answersTo = async (data: readonly Row[], more: object = {}) => {
      const run = await runBenchmark({
        benchmark: arcEasy({ data, ...more }),
        models: { adapter },
        ...draws,
        seed: 7,
      });
      return [run.models.adapter, run.autoregressive].map(
        ({ items }) => new Map(items.map(({ id, answer }) => [id, answer])),
      );
    };
    const rows = ARC_ROWS.slice(0, 8).map((row, i) => ({ ...row, id: `row-${i}` }));
    const shuffled = [5, 2, 7, 0].map((i) => rows[i] as Row);

    it.each([
      ["alone", {}],
      ["behind shots from rows of their own", { shots: 1, shotData: ARC_ROWS.slice(8, 12) }],
    ])(
      "draws the same answer for an item %s, wherever it stands and whatever was filtered",
      async (_, shots) => {
        const [whole, some] = [await answersTo(rows, shots), await answersTo(shuffled, shots)];
        for (const [i, answers] of some.entries()) {
          expect(answers.size).toBe(4);
          for (const [id, answer] of answers) expect(answer).toBe(whole[i]?.get(id));
        }
      },
    );

    it("draws other answers for equal items, and the same ones as `evaluate`", async () => {
      const [row] = rows;
      const equal = [0, 1, 2].map((i) => ({ ...row, id: `same-${i}` }) as Row);
      const [answers] = await answersTo(equal);
      expect(new Set(answers?.values()).size).toBe(3);
      const [first] = (await itemsOf(base, arcEasy({ data: equal }), undefined)).items;
      const question = { messages: first?.messages ?? [], reference: first?.question.answer ?? "" };
      const { by: _, ...sampling } = draws;
      const items = [question, question, question];
      const evaluated = await adapter.evaluate({ items, seed: 7, ...sampling });
      expect([...(answers?.values() ?? [])]).toEqual(evaluated.answers.map(({ text }) => text));
    });
  });

  it("asks a base without a chat template by a plain text, which lists the choices by their letters", async () => {
    const plain = await runtime.loadBase(await folderWithoutTemplate());
    expect(plain.info.hasChatTemplate).toBe(false);
    const own = await plain.createAdapter({ rank: 2, seed: 1 });
    const benchmark = arcEasy({ data: ARC_ROWS.slice(0, 3), shots: 1, shotData: ARC_ROWS.slice(5, 6) });
    const { models, autoregressive } = await runBenchmark({ benchmark, models: { own }, ...by });
    const shot =
      "Which of these is number 5, counted from the very first one of them all?\nA: a\nB: bé\nC: a long one\nD: d5";
    const asked = "Which of these is number 1?\nA: a\nB: bé\nC: a long one\nD: d1";
    const ids = await plain.encode(`${shot}\nAnswer: C: a long one\n\n${asked}\nAnswer:`, {
      addSpecial: true,
    });
    const how = { ids, answerTokens: 6, frames: false };
    expect(models.own.items[1]?.answer).toBe((await own.sample(how).result()).text);
    const greedy = await plain.sample({ ...how, policy: "ar" }).result();
    expect(autoregressive.items[1]?.answer).toBe(greedy.text);
    for (const kind of [gsm8k({ data: GSM_ROWS }), shortAnswer({ data: GSM_ROWS })]) {
      const { n } = await runBenchmark({ benchmark: kind, models: { own }, answerTokens: 4 });
      expect(n).toBe(GSM_ROWS.length);
    }
  });

  it("cuts the beginning of a prompt that does not fit with its answer, and counts it", async () => {
    const long = { ...(ARC_ROWS[9] as Row), question: "Why? ".repeat(300) };
    const benchmark = arcEasy({ data: ARC_ROWS.slice(0, 2), shots: 1, shotData: [long] });
    const run = await runBenchmark({ benchmark, models: { adapter }, ...by });
    for (const score of [run.models.adapter, run.autoregressive]) expect(score.cut).toBe(2);
    const { items } = await itemsOf(base, benchmark, undefined);
    const { ids } = await base.render(items[0]?.messages ?? []);
    const room = base.info.maxPositions - 6;
    const alone = await adapter.sample({ ids: ids.slice(-room), answerTokens: 6, frames: false }).result();
    expect(run.models.adapter.items[0]).toMatchObject({ answer: alone.text, cutTokens: ids.length - room });
    const window = await runBenchmark({ benchmark, models: { adapter }, by: "letter" });
    expect(window.models.adapter.items[0]?.cutTokens).toBe(ids.length - (48 - 16));
  });

  it("judges word problems by the last number, and short answers by their text", async () => {
    const judged = await runBenchmark({
      benchmark: gsm8k({ data: GSM_ROWS, shots: 2 }),
      models: { adapter },
      answerTokens: 4,
    });
    expect(judged).toMatchObject({ by: "number", n: 9, shots: 2 });
    const question = { question: "Say abc.", answer: "?" };
    const text = await adapter
      .sample({ messages: "Say abc.", seed: 1, answerTokens: 4, frames: false })
      .result();
    const own = await runBenchmark({
      benchmark: shortAnswer({ data: [question, { ...question, answer: ` ${text.text} ` }] }),
      models: { adapter },
      answerTokens: 4,
    });
    expect(own.models.adapter.items.map(({ correct }) => correct)).toEqual([false, true]);
  });
});

describe("two kept runs", () => {
  it("are compared item by item", async () => {
    const folder = fresh();
    const { models, autoregressive } = await runBenchmark({ benchmark: arc, models: { adapter }, folder });
    const one = { folder, model: "adapter" };
    const compared = await compareRuns(one, { folder, model: "autoregressive" });
    expect(compared.difference).toEqual(models.adapter.difference);
    const ids = models.adapter.items
      .filter(({ correct }, i) => correct && autoregressive.items[i]?.correct === false)
      .map(({ id }) => id);
    expect(compared.onlyFirst).toEqual(ids);
    expect(compared.changed).toHaveLength(37);
    expect(await compareRuns(one, one)).toMatchObject({ n: 37, onlyFirst: [], onlySecond: [], changed: [] });
  });

  it("have to be of the same rows", async () => {
    const [folder, other] = [fresh(), fresh()];
    const models = { adapter };
    await runBenchmark({ benchmark: arcEasy({ data: ARC_ROWS.slice(0, 2) }), models, folder });
    await runBenchmark({ benchmark: arcEasy({ data: ARC_ROWS.slice(1, 3) }), models, folder: other });
    const [one, two] = [folder, other].map((each) => ({ folder: each, model: "adapter" }));
    await expect(compareRuns(one as never, two as never)).rejects.toThrow("its rows are others");
    rmSync(other, { recursive: true });
    await expect(compareRuns(one as never, two as never)).rejects.toMatchObject({ code: "not-found" });
  });
});
