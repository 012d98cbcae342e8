/** Files of other columns and of separated values, and parts of what is split, as the JSON lines that the worker is sent. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csv, type DataSource, hub, jsonl, split, workerJsonl } from "../../../sdk/src/index.js";
import { DataService } from "../../../sdk/src/wire.js";
import { testFolder } from "../support/folders.js";
import { stubWorker } from "../support/stub-worker.js";

const QA = { instruction: "question", output: "answer" };

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(testFolder(), "data");
  await writeFile(path, content);
  return path;
}

/** The text that the worker is sent of a source. */
async function sent(source: DataSource): Promise<string> {
  const { runtime, transport } = await stubWorker();
  const pieces: Buffer[] = [];
  transport.onUpload(DataService.uploadDataset, async (requests) => {
    for await (const { data } of requests) pieces.push(data);
    const datasetId = createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
    return { datasetId, examples: 1n };
  });
  await runtime.dataset(source);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(2 ** 20);
  return Buffer.concat(pieces).toString();
}

const rows = (text: string): unknown[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

describe("columns that are named", () => {
  it("are read under the names of an example, and no others, line by line", async () => {
    const lines = [
      '{"question":"1 + 1 \u2028","answer":"2","id":"a","output":"no"}',
      "",
      '{"answer":"4","question":"2 + 2"}',
    ];
    expect(await sent(jsonl(await file(`\uFEFF${lines.join("\r\n")}`), { fields: QA }))).toBe(
      '{"instruction":"1 + 1 \u2028","output":"2"}\n\r\n{"instruction":"2 + 2","output":"4"}\n',
    );
  });

  it("leave what is no row to the worker, which refuses it by its number", async () => {
    expect(await sent(jsonl(await file("[1]\n{\n"), { fields: QA }))).toBe("[1]\n{\n");
  });

  it("that a row lacks are refused by line and column", async () => {
    const path = await file('{"question":"q","answer":"a"}\n\n{"question":"q","reply":"a"}\n');
    await expect(sent(jsonl(path, { fields: QA }))).rejects.toMatchObject({
      code: "invalid-data",
      option: "fields.output",
      message: expect.stringContaining(
        `Line 3 of ${path}: there is no column answer, which fields reads as output (its columns: question, reply).`,
      ),
    });
  });

  it("keep ids exact", async () => {
    const fields = { ...QA, id: "n" };
    const id = "18446744073709551615";
    const row = (n: string) => file(`{"question":"q","answer":"a","n":${n}}`);
    expect(await sent(jsonl(await row(`"${id}"`), { fields }))).toContain(`"id":"${id}"`);
    await expect(sent(jsonl(await row(id), { fields }))).rejects.toMatchObject({ option: "fields.id" });
  });

  it("are to make an example", async () => {
    for (const fields of [{}, { instruction: "q" }, { output: "a" }, { messages: "m", output: "a" }]) {
      await expect(sent(jsonl("x", { fields }))).rejects.toMatchObject({ code: "invalid-option" });
    }
    await expect(sent(jsonl("x", { fields: { ...QA, ouptut: "a" } as never }))).rejects.toThrow(
      "Did you mean output?",
    );
  });

  it("are named to the worker for what it reads itself", async () => {
    const { runtime, transport } = await stubWorker();
    transport.onCall(DataService.openDataset, () => ({ datasetId: "a".repeat(64), examples: 5n }));
    await runtime.dataset(workerJsonl("/x", { fields: QA }));
    await runtime.dataset(hub("org/set", { fields: QA, maxExamples: 3 }));
    const columns = [
      { field: "instruction", column: "question" },
      { field: "output", column: "answer" },
    ];
    const requests = transport.requestsOf(DataService.openDataset);
    expect(requests.map((request) => request.columns)).toEqual([columns, columns]);
  });

  it("in a file that is not UTF-8 are refused", async () => {
    const path = await file(Uint8Array.of(0x7b, 0xff));
    await expect(sent(jsonl(path, { fields: QA }))).rejects.toThrow(`data is ${path}: it is not UTF-8.`);
  });
});

describe("separated values", () => {
  it("are rows of the columns that the first one names, with quotes, line breaks and empty cells", async () => {
    const text = 'instruction,input,output,weight,id\r\n"Say ""a,b""",,"two\nlines",0.5,7\r\n\r\nq,i,,,\r\n';
    expect(rows(await sent(csv(await file(text))))).toEqual([
      { instruction: 'Say "a,b"', output: "two\nlines", weight: 0.5, id: "7" },
      { instruction: "q", input: "i", output: "" },
    ]);
  });

  it("may have other names and another separator", async () => {
    const path = await file("answer\tnote\tquestion\n2\tx\t1 + 1\n");
    expect(rows(await sent(csv(path, { separator: "\t", fields: QA })))).toEqual([
      { instruction: "1 + 1", output: "2" },
    ]);
  });

  it("are read back as they were written, whatever stands in them", async () => {
    const cell = fc.string({ unit: "binary", maxLength: 8 });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const made = fc.array(fc.record({ instruction: cell, output: cell }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(made, async (examples) => {
        const lines = examples.map((one) => `${quoted(one.instruction)},${quoted(one.output)}`);
        const given = rows(await sent(csv(await file(["instruction,output", ...lines].join("\n")))));
        expect(given).toEqual(
          examples.map(({ instruction, output }) => ({
            ...(instruction === "" ? {} : { instruction }),
            output,
          })),
        );
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    ["instruction,output\nq,a,b\n", "Row 1 of .*: it has 3 cells, and there are 2 columns"],
    ["instruction,output\nq,a\nq\n", "Row 2 of .*: it has 1 cells"],
    ['instruction,output\nq,"a\nq,a\n', "a quote is not closed"],
    ["instruction,output,output\nq,a,b\n", "two columns have the name output"],
    ["", "its first row names no columns"],
  ])("that are none are refused by their row: %j", async (text, problem) => {
    await expect(sent(csv(await file(text)))).rejects.toThrow(new RegExp(problem));
  });
});

describe("a split", () => {
  const questions = Array.from({ length: 400 }, (_, i) => ({
    instruction: `q${i % 300}`,
    output: `a${i % 300}`,
    id: i,
  }));
  const parts = async (data: Parameters<typeof split>[0], seed = 1) => {
    const { train, validation } = split(data, { validation: 0.25, seed });
    return [await sent(train), await sent(validation)] as const;
  };
  const ids = (text: string) => rows(text).map((row) => (row as { id: number }).id);

  it("has each example in one part, in order, examples of the same text in the same", async () => {
    const [train, validation] = (await parts(questions)).map(ids) as [number[], number[]];
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual(questions.map(({ id }) => id));
    expect([train, validation]).toEqual([
      train.toSorted((a, b) => a - b),
      validation.toSorted((a, b) => a - b),
    ]);
    for (let i = 0; i < 100; i++) expect(train.includes(i)).toBe(train.includes(i + 300));
    expect(validation.length).toBeGreaterThan(60);
    expect(validation.length).toBeLessThan(140);
  });

  it("depends on the texts and the seed, and not on ids, keys' order or what else stands there", async () => {
    const [, validation] = await parts(questions);
    expect(ids((await parts(questions, 2))[1])).not.toEqual(ids(validation));
    const lines = questions.map(({ id, ...texts }) => JSON.stringify({ ...texts, source: "web", id }));
    const [, same] = await parts(jsonl(await file(lines.join("\n"))));
    expect(ids(same)).toEqual(ids(validation));
    const [, fewer] = await parts(questions.slice(0, 200));
    expect(ids(fewer)).toEqual(ids(validation).filter((id) => id < 200));
  });

  it("leaves every line its number", async () => {
    const lines = questions.map((row) => JSON.stringify(row));
    for (const part of await parts(jsonl(await file(lines.join("\n"))))) {
      for (const [number, line] of part.split("\n").entries()) expect(["", lines[number]]).toContain(line);
    }
  });

  it("is of what the worker has read, where it reads", async () => {
    const { runtime, transport } = await stubWorker();
    const text = questions.map((row) => `${JSON.stringify(row)}\n`).join("");
    transport.onStream(DataService.downloadDataset, async function* () {
      for (let at = 0; at < text.length; at += 1000) yield { data: Buffer.from(text.slice(at, at + 1000)) };
    });
    const { validation } = split({ id: "c".repeat(64), examples: 400 }, { validation: 0.25, seed: 1 });
    const { id } = await runtime.dataset(validation);
    const whole = jsonl(await file(text));
    const local = await sent(split(whole, { validation: 0.25, seed: 1 }).validation);
    expect(rows(local).length).toBeGreaterThan(0);
    expect(id).toBe(createHash("sha256").update(local).digest("hex"));
  });

  it("without an example in a part is refused", async () => {
    await expect(sent(split(questions.slice(0, 2), { validation: 1e-9 }).validation)).rejects.toThrow(
      "No example falls into the validation part of the split. Give a larger validation",
    );
  });
});

describe("keys of an example that mean something elsewhere", () => {
  it.each([
    [{ question: "q", answer: "a" }, /Did you mean (instruction|output)\?/],
    [{ instruction: "q", response: "a" }, /Did you mean output\?/],
    [{ prompt: "q", completion: "a" }, /Did you mean (instruction|output)\?/],
    [{ instruction: "q", output: "a", context: "c" }, /Did you mean input\?/],
    [{ instruction: "q", output: "a", wieght: 0 }, /Did you mean weight\?/],
  ])("are refused with what they mean: %j", async (row, remedy) => {
    await expect(sent([row] as never)).rejects.toThrow(remedy);
  });
});
