import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { LadError } from "../../../sdk/src/errors.js";
import { hub, jsonl, workerJsonl } from "../../../sdk/src/index.js";
import { DataService } from "../../../sdk/src/wire.js";
import { testFolder } from "../support/folders.js";
import { stubWorker } from "../support/stub-worker.js";

const examples = [
  { instruction: "add 1 and 1", output: "2" },
  { output: "4", instruction: "add 2 and 2", id: 9, system: "Be exact." },
];

async function file(text: string): Promise<string> {
  const path = join(testFolder(), "data.jsonl");
  await writeFile(path, text);
  return path;
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

describe("examples given as values", () => {
  it("are uploaded once and named by their content", async () => {
    const { runtime, transport } = await stubWorker();
    const first = await runtime.dataset(examples);
    const again = await runtime.dataset([{ ...examples[0] }, { ...examples[1] }] as typeof examples);
    expect(again).toEqual(first);
    expect(transport.calls.filter(({ path }) => path === DataService.uploadDataset.path)).toHaveLength(1);
    expect(transport.requestsOf(DataService.hasDataset).map(({ datasetId }) => datasetId)).toEqual([
      first.id,
      first.id,
    ]);
  });

  it("travel as JSON lines with the keys in one order", async () => {
    const { runtime } = await stubWorker();
    const { id } = await runtime.dataset(examples);
    expect(id).toBe(
      hashOf(
        '{"instruction":"add 1 and 1","output":"2"}\n{"id":9,"system":"Be exact.","instruction":"add 2 and 2","output":"4"}\n',
      ),
    );
  });

  it("may be chats", async () => {
    const { runtime } = await stubWorker();
    const messages = [
      { role: "user" as const, content: "hi" },
      { role: "assistant" as const, content: "hello" },
    ];
    const { id } = await runtime.dataset([{ messages }]);
    expect(id).toBe(hashOf(`${JSON.stringify({ messages })}\n`));
  });

  it("may be many megabytes, in pieces of at most 1 MiB", async () => {
    const { runtime, transport } = await stubWorker();
    const sizes: number[] = [];
    transport.onUpload(DataService.uploadDataset, async (requests) => {
      const hash = createHash("sha256");
      for await (const { data } of requests) {
        sizes.push(data.length);
        hash.update(data);
      }
      return { datasetId: hash.digest("hex"), examples: 3n };
    });
    const output = "x".repeat(1_500_000);
    const { examples: count } = await runtime.dataset(
      [1, 2, 3].map((id) => ({ id, instruction: "", output })),
    );
    expect(count).toBe(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 ** 20);
    expect(sizes.reduce((a, b) => a + b)).toBeGreaterThan(4_500_000);
  });

  it("are refused with the place of what is wrong", async () => {
    const { runtime } = await stubWorker();
    const wrong = [...examples, { instruction: "a", output: 3 }] as never;
    await expect(runtime.dataset(wrong)).rejects.toThrow("data[2].output is 3: it must be a string.");
    await expect(runtime.dataset([])).rejects.toMatchObject({ code: "invalid-option", option: "data" });
  });
});

describe("the same examples, wanted by many at once", () => {
  const many = Array.from({ length: 64 }, (_, i) => i);
  const uploads = ({ calls }: { calls: readonly { path: string }[] }) =>
    calls.filter(({ path }) => path === DataService.uploadDataset.path).length;

  /** A worker whose uploads wait until they are let go, or given up. */
  async function waiting() {
    const worker = await stubWorker();
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const gone: unknown[] = [];
    worker.transport.onUpload(DataService.uploadDataset, async (requests, signal) => {
      signal.addEventListener("abort", () => gone.push(signal.reason));
      const hash = createHash("sha256");
      for await (const { data } of requests) hash.update(data);
      await gate;
      return { datasetId: hash.digest("hex"), examples: 2n };
    });
    return { ...worker, letGo, gone };
  }

  it("are uploaded once, with and without time limits", async () => {
    const { base, transport } = await stubWorker();
    const limits = many.map((i) => (i % 2 === 0 ? {} : { timeoutMs: 60_000 }));
    const made = await Promise.all(limits.map((options) => base.dataset(examples, options)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(uploads(transport)).toBe(1);
  });

  it("come for the others where the first of them gives up, or its time is over", async () => {
    const { base, transport, letGo, gone } = await waiting();
    const abort = new AbortController();
    const first = base.dataset(examples, { signal: abort.signal });
    const hasty = base.dataset(examples, { timeoutMs: 200 });
    const ended = Promise.allSettled([first, hasty]);
    const patient = base.dataset(examples);
    await vi.waitFor(() => expect(uploads(transport)).toBe(1));
    abort.abort("enough");
    expect(await ended).toMatchObject([
      { reason: { code: "cancelled", cause: "enough" } },
      { reason: { code: "timeout", value: "200" } },
    ]);
    expect(gone).toEqual([]);
    letGo();
    await expect(patient).resolves.toMatchObject({ examples: 2 });
    expect(uploads(transport)).toBe(1);
  });

  it("are sent no further once nobody waits for them, and anew for who comes later", async () => {
    const { base, transport, letGo, gone } = await waiting();
    const abort = new AbortController();
    const both = Promise.allSettled([1, 2].map(() => base.dataset(examples, { signal: abort.signal })));
    await vi.waitFor(() => expect(uploads(transport)).toBe(1));
    abort.abort();
    expect(await both).toMatchObject([{ reason: { code: "cancelled" } }, { reason: { code: "cancelled" } }]);
    expect(gone).toHaveLength(1);
    letGo();
    await expect(base.dataset(examples)).resolves.toMatchObject({ examples: 2 });
    expect(uploads(transport)).toBe(2);
  });

  it("fail for all of them, and are tried again for who comes later", async () => {
    const { base, transport } = await stubWorker();
    let calls = 0;
    transport.onUpload(DataService.uploadDataset, async () => {
      calls++;
      throw new LadError("storage", "The disk is full.");
    });
    const ended = await Promise.allSettled(many.map(() => base.dataset(examples)));
    expect(ended.every(({ status }) => status === "rejected")).toBe(true);
    expect(calls).toBe(1);
    await expect(base.dataset(examples)).rejects.toMatchObject({ code: "storage" });
    expect(calls).toBe(2);
  });
});

describe("a file of this machine", () => {
  it("is named by its bytes", async () => {
    const { runtime } = await stubWorker();
    const text = '{"instruction":"a","output":"b"}\n';
    expect((await runtime.dataset(jsonl(await file(text)))).id).toBe(hashOf(text));
  });

  it("that does not exist is an error that names it", async () => {
    const { runtime } = await stubWorker();
    const path = join(tmpdir(), "no-such-file.jsonl");
    const error = await runtime.dataset(jsonl(path)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "not-found", option: "data", value: path });
    expect((error as Error).message).toContain("there is no such file");
  });

  it("that changes between hashing and sending is an error", async () => {
    const { runtime, transport } = await stubWorker();
    const path = await file("one\n");
    transport.onCall(DataService.hasDataset, async () => {
      await writeFile(path, "two\n");
      return { found: false, examples: 0n };
    });
    await expect(runtime.dataset(jsonl(path))).rejects.toMatchObject({ code: "invalid-data" });
  });
});

it("what lies on the worker's side is opened there", async () => {
  const { runtime, transport } = await stubWorker();
  transport.onCall(DataService.openDataset, () => ({ datasetId: "a".repeat(64), examples: 5n }));
  expect(await runtime.dataset(workerJsonl("/data/x.jsonl"))).toEqual({ id: "a".repeat(64), examples: 5 });
  await runtime.dataset(hub("tatsu-lab/alpaca", { maxExamples: 10 }));
  expect(transport.requestsOf(DataService.openDataset).map(({ source }) => source)).toEqual([
    { $case: "path", value: "/data/x.jsonl" },
    {
      $case: "hub",
      value: {
        name: "tatsu-lab/alpaca",
        config: "",
        split: "train",
        revision: "",
        hubToken: "",
        maxExamples: 10n,
      },
    },
  ]);
});

it("a data set of the worker needs no call", async () => {
  const { runtime, transport } = await stubWorker();
  const calls = transport.calls.length;
  const dataset = { id: "b".repeat(64), examples: 2 };
  expect(await runtime.dataset(dataset)).toEqual(dataset);
  expect(transport.calls).toHaveLength(calls);
});
