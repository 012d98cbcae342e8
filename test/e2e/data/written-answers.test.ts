/** Data that a base itself wrote: its own `ar` answers, kept, found again, and gone on with. */
import { appendFile, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ar, type Base, type Example, jsonl, type Runtime, type WriteAnswersOptions } from "lad";
import { afterAll, beforeAll, expect, it } from "vitest";
import { scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const PROMPTS: readonly Example[] = [
  { instruction: "Say abc.", output: "The book says abc." },
  { instruction: "Add", input: "2 and 3", output: "5", id: 70 },
  { messages: [{ role: "user", content: "And now?" }] },
  { system: "Be brief.", instruction: "Why?", output: "So." },
  { instruction: "Say abc.", output: "The same question again." },
];

let runtime: Runtime;
let base: Base;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
});

afterAll(() => runtime?.close());

const settings = {
  prompts: PROMPTS,
  answerTokens: 6,
  temperature: 1,
  seed: 5,
  cut: "keep",
  batchPrompts: 2,
} as const;

async function writing(options: Partial<WriteAnswersOptions> = {}) {
  const folder = options.folder ?? (await mkdtemp(join(scratch, "written-")));
  const written = await base.writeAnswers({ ...settings, folder, ...options });
  const text = await readFile(written.data.jsonl, "utf8");
  const examples = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return { folder, written, text, examples };
}

it("answers whose length nobody gave leave the prompt half of a small base's positions", async () => {
  const tiny = await runtime.loadBase("tiny");
  const asked = {
    prompts: [{ instruction: "Name the capitals.\nPeru Kenya Russia", output: "" }],
    folder: await mkdtemp(join(scratch, "written-")),
  };
  expect(await tiny.writeAnswers(asked)).toMatchObject({ computed: 1, cut: 0 });
  expect(await tiny.writeAnswers({ ...asked, answerTokens: 128 })).toMatchObject({ computed: 0 });
});

it("each answer is the base's own by ar, and the rest of the example stays", async () => {
  const { written, examples } = await writing();
  expect(written).toMatchObject({ prompts: 5, computed: 5, damaged: 0 });
  for (const [row, prompt] of PROMPTS.entries()) {
    const given: Example =
      "messages" in prompt ? { messages: [...prompt.messages, { role: "assistant", content: "." }] } : prompt;
    const [question] = await base.questions([given]);
    const { text } = await base
      .sample({ ids: question?.ids, policy: ar(), answerTokens: 6, temperature: 1, seed: 5 + row })
      .result();
    if ("messages" in prompt)
      expect(examples[row].messages).toEqual([...prompt.messages, { role: "assistant", content: text }]);
    else expect(examples[row]).toEqual({ ...prompt, output: text });
  }
  expect(examples[0].output).not.toBe(examples[4].output); // each row draws its own numbers
});

it("is data to train on", async () => {
  const { written } = await writing();
  expect((await base.prepare(written.data, { windowTokens: 256 })).kept).toBe(5);
});

it("what was written is found again, also for prompts of a file, and other settings or prompts are others", async () => {
  const { folder, written, text } = await writing();
  const file = join(folder, "prompts.jsonl");
  const others = PROMPTS.map((one) => ("messages" in one ? one : { ...one, output: "another answer" }));
  await writeFile(file, others.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const again = await writing({ folder, prompts: jsonl(file) });
  expect(again.written).toEqual({ ...written, computed: 0 });
  expect(again.text).toBe(text);
  for (const other of [{ seed: 6 }, { temperature: 0 }, { answerTokens: 7 }, { prompts: PROMPTS.slice(1) }]) {
    expect((await writing({ folder, ...other })).written.computed).toBeGreaterThan(0);
  }
});

it("an interrupted call goes on where it was, to the same file", async () => {
  const whole = await writing();
  const stop = new AbortController();
  const seen: number[] = [];
  const folder = await mkdtemp(join(scratch, "cut-"));
  const onProgress = ({ done }: { done: number }) => {
    seen.push(done);
    if (done === 2) stop.abort();
  };
  await expect(
    base.writeAnswers({ ...settings, folder, onProgress, signal: stop.signal }),
  ).rejects.toMatchObject({
    code: "cancelled",
  });
  expect(seen).toEqual([0, 2]);
  const rest = await writing({ folder });
  expect(rest.written.computed).toBe(3);
  expect(rest.text).toBe(whole.text);
});

it("lines that were cut or changed are computed again, and said", async () => {
  const { folder, text } = await writing();
  const [journal = ""] = (await readdir(folder)).filter((name) => name.endsWith(".journal"));
  const path = join(folder, journal);
  const lines = (await readFile(path, "utf8")).split("\n").filter(Boolean);
  await writeFile(path, `${lines[0]}\n${lines[1]?.replace(/"row":1/, '"row":3')}\n${lines[2]?.slice(0, 30)}`);
  const mended = await writing({ folder });
  expect(mended.written).toMatchObject({ computed: 4, damaged: 2 });
  expect(mended.text).toBe(text);
  await appendFile(path, "half a line");
  expect((await writing({ folder })).written).toMatchObject({ computed: 0, damaged: 3 });
});

it("answers that were cut by their length are counted, and left out unless they are asked for", async () => {
  const { folder, written, examples } = await writing();
  expect(written.cut).toBeGreaterThan(0);
  const dropped = await writing({ folder, cut: "drop" });
  expect(dropped.written).toMatchObject({ computed: 0, cut: written.cut });
  expect(dropped.examples).toHaveLength(examples.length - written.cut);
});

it("prompts in no file are refused by name", async () => {
  const folder = scratch;
  const none = base.writeAnswers({ folder, prompts: jsonl(join(scratch, "none.jsonl")) });
  await expect(none).rejects.toMatchObject({ code: "not-found", option: "prompts" });
});
