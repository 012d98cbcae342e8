import { once } from "node:events";
import { credentials, Client as GrpcClient, Metadata } from "@grpc/grpc-js";
import { isLadError, type LoadProgress, Runtime, recipes, type WorkerInfo } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrpcTransport } from "../../sdk/src/grpc/transport.js";
import { healthCheck, WorkerService } from "../../sdk/src/wire.js";
import { collected, EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
});

afterAll(() => runtime?.close());

describe("a runtime", () => {
  it("says what its worker is and holds", async () => {
    const base = await runtime.loadBase("stub");
    await using adapter = await base.createAdapter({ rank: 2 });
    const info: WorkerInfo = await runtime.info();
    expect(info).toMatchObject({ device: "cpu", threads: 1 });
    expect(info.torchVersion).toMatch(/^2\./);
    expect(info.pythonVersion).toMatch(/^3\./);
    expect(info.memoryBytes).toBeGreaterThan(2 ** 28);
    expect(info.accountedBytes).toBeGreaterThanOrEqual(base.info.bytes + adapter.info.bytes);
    expect(info.bases.map(({ name }) => name)).toContain("stub");
    expect(base.info.kernels.map(({ matrix }) => matrix)).toEqual(["qkv", "o", "gate_up", "down", "head"]);
    expect(info.bases.find(({ id }) => id === base.id)?.kernels).toEqual(base.info.kernels);
    expect(info.adapters.map(({ id }) => id)).toContain(adapter.id);
  });

  it("refuses what its memory budget has no room for, with the figures, and goes on", async () => {
    const memoryBudgetBytes = 400_000;
    await using small = await startRuntime(`${scratch}/small`, { memoryBudgetBytes });
    const base = await small.loadBase("stub");
    const adapter = await base.createAdapter({ rank: 4 });
    const refused = { code: "out-of-memory", message: expect.stringContaining("budget is 0.4 MiB") };
    await expect(base.createAdapter({ rank: 1024 })).rejects.toMatchObject({ ...refused, option: "rank" });
    await expect(small.loadBase("tiny")).rejects.toMatchObject({ ...refused, option: "base" });
    const training = { data: EXAMPLES, windowTokens: 48, steps: 1, warmupSteps: 0 };
    await expect(adapter.train(training).result()).rejects.toMatchObject({
      ...refused,
      remedy: expect.stringMatching(/microBatchTokens.*memoryBudgetBytes/),
    });
    const { accountedBytes, ...info } = await small.info();
    expect(info.memoryBudgetBytes).toBe(memoryBudgetBytes);
    expect(accountedBytes).toBe(base.info.bytes + adapter.info.bytes);
    const inPieces = { ...training, batchSize: 1, microBatchTokens: 48 };
    expect((await adapter.train(inPieces).result()).steps).toBe(1);
  });

  it("is closed once, however often it is asked to", async () => {
    const other = await startRuntime(`${scratch}/other`);
    await Promise.all([other.close(), other.close()]);
    await expect(other.info()).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("a base", () => {
  it("is loaded with progress, and found resident the second time", async () => {
    const seen: LoadProgress[] = [];
    const base = await runtime.loadBase("stub", { seed: 11, onProgress: (progress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.at(-1)?.doneBytes).toBe(seen.at(-1)?.totalBytes);
    const again = await runtime.loadBase("stub", { seed: 11 });
    expect(again.id).toBe(base.id);
    expect((await runtime.loadBase("stub", { seed: 12 })).id).not.toBe(base.id);
  });

  it("encodes, decodes, renders and shows single tokens", async () => {
    const base = await runtime.loadBase("stub");
    const ids = await base.encode("Grüße, 世界");
    expect(await base.decode(ids)).toBe("Grüße, 世界");
    expect(await base.decode([...ids, base.eosTokenId])).toBe("Grüße, 世界");
    expect(await base.pieces([base.maskTokenId, base.eosTokenId])).toEqual([
      base.info.maskToken,
      base.info.eosToken,
    ]);
    const { text, ids: prompt } = await base.render([{ role: "user", content: "Say abc." }]);
    expect(text).toContain("Say abc.");
    expect(prompt.length).toBeGreaterThan(8);
    expect(await base.render("Say abc.")).toEqual({ text, ids: prompt });
  });

  it("writes SmolLM2's chats as its recipe has them: without a system message that nobody gave", async () => {
    const base = await runtime.loadBase("stub", recipes["smollm2-135m"].base);
    const asked = "<|im_start|>user\nSay abc.<|im_end|>\n<|im_start|>assistant\n";
    expect((await base.render("Say abc.")).text).toBe(asked);
    const { text } = await base.render([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Say abc." },
    ]);
    expect(text).toBe(`<|im_start|>system\nBe brief.<|im_end|>\n${asked}`);
  });

  it("is dropped once nothing uses it", async () => {
    const base = await runtime.loadBase("stub", { seed: 13 });
    const adapter = await base.createAdapter({ rank: 1 });
    await expect(base.unload()).rejects.toMatchObject({ code: "invalid-state" });
    await adapter.drop();
    await base.unload();
    expect((await runtime.info()).bases.map(({ id }) => id)).not.toContain(base.id);
  });
});

describe("data", () => {
  it("are windowed, counted and streamed as the base sees them", async () => {
    const base = await runtime.loadBase("stub");
    const report = await base.prepare(EXAMPLES, { windowTokens: 48 });
    expect(report).toMatchObject({ examples: 11, kept: 10, dropped: 1, truncated: 0 });
    const examples = await collected(base.examples(EXAMPLES, { windowTokens: 48 }));
    expect(examples).toHaveLength(10);
    const tally = (part: "answer" | "tail") =>
      examples.reduce((sum, example) => sum + example[part].reduce((a, b) => a + b, 0), 0);
    expect(tally("tail")).toBe(report.tailTokens);
    expect(tally("answer")).toBe(report.answerTokens + report.tailTokens);
    expect(examples.every(({ ids }) => ids.length === 48)).toBe(true);
    const some = await collected(base.examples(EXAMPLES, { windowTokens: 48, offset: 3, limit: 2 }));
    expect(some).toEqual(examples.slice(3, 5));
  });

  it("become questions whose references are the answers", async () => {
    const base = await runtime.loadBase("stub");
    const [question] = await base.questions(EXAMPLES, { windowTokens: 48, limit: 1 });
    expect(question?.reference).toBe("0 xyz");
    expect(question?.ids).toEqual((await base.render("Say abc.")).ids);
  });
});

describe("a worker that runs already", () => {
  it("is reached by its address and token, and left running", async () => {
    const second = await Runtime.start(runtime.connection);
    const base = await second.loadBase("stub");
    const adapter = await base.createAdapter({ rank: 2 });
    await second.close();
    const seenHere = await runtime.adapter(adapter.id);
    expect(seenHere.info).toEqual(adapter.info);
    await seenHere.drop();
  });

  it("hands an adapter over with its place in the sequence of primitives", async () => {
    const base = await runtime.loadBase("stub");
    await using adapter = await base.createAdapter({ rank: 2 });
    const rows = { data: EXAMPLES, windowTokens: 48, rows: [0, 1] };
    await adapter.forwardBackward(rows);
    const other = await runtime.adapter(adapter.id);
    await other.forwardBackward(rows);
    expect((await other.optimStep({ learningRate: 0.01 })).step).toBe(1);
    expect(await other.refresh()).toMatchObject({ steps: 1, lastSequence: 3 });
  });
});

describe("the standard services", () => {
  it("tell anybody that the worker is well, and nobody anything else without the token", async () => {
    const transport = new GrpcTransport({ address: runtime.address, token: "wrong".repeat(8) });
    try {
      expect(await transport.unary(healthCheck, { service: "" })).toEqual({ status: "SERVING" });
      const refused = await transport.unary(WorkerService.getInfo, {}).catch((error: unknown) => error);
      expect(isLadError(refused, "unauthenticated")).toBe(true);
    } finally {
      transport.close();
    }
  });

  it("list the worker's services by reflection", async () => {
    const { token } = runtime.connection;
    expect(await reflectedServices(runtime.address, token)).toEqual(
      expect.arrayContaining([
        "grpc.health.v1.Health",
        "lad.v1.AdaptersService",
        "lad.v1.DataService",
        "lad.v1.EvaluationService",
        "lad.v1.RunsService",
        "lad.v1.SamplingService",
        "lad.v1.TrainingService",
        "lad.v1.WorkerService",
      ]),
    );
  });
});

/** Asks the standard reflection service, whose request is one field (list_services, number 7) and whose reply has the names. */
async function reflectedServices(address: string, token: string): Promise<string[]> {
  const client = new GrpcClient(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  const same = (bytes: Buffer) => bytes;
  const method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const call = client.makeBidiStreamRequest(method, same, same, metadata);
  try {
    call.write(Buffer.from([(7 << 3) | 2, 1, "*".charCodeAt(0)]));
    const [reply] = (await once(call, "data")) as [Buffer];
    return reply.toString("latin1").match(/[a-z][a-z0-9.]+\.[A-Z][A-Za-z]+/g) ?? [];
  } finally {
    call.cancel();
    call.on("error", () => {});
    client.close();
  }
}
