import { lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LadError } from "../../sdk/src/errors.js";
import { AdaptersService, fromFloat32Bytes, TrainingService, toFloat32Bytes } from "../../sdk/src/wire.js";
import { testFolder } from "./support/folders.js";
import { stubWorker } from "./support/stub-worker.js";

const config = { name: "adapter_config.json", data: Buffer.from("{}") };
const weights = [1, 2].map((part) => ({
  name: "adapter_model.safetensors",
  data: Buffer.alloc(1000, part),
}));

async function newFolder(): Promise<string> {
  return join(testFolder(), "adapter");
}

async function saving(pieces = [config, ...weights]) {
  const worker = await stubWorker();
  worker.transport.onStream(AdaptersService.downloadAdapter, async function* () {
    for (const piece of pieces) yield { piece };
  });
  return { ...worker, folder: await newFolder() };
}

describe("making an adapter", () => {
  it("takes alpha from the rank", async () => {
    const { base, transport } = await stubWorker();
    await base.createAdapter({ rank: 8, seed: 3 });
    expect(transport.requestsOf(AdaptersService.createAdapter).at(-1)).toEqual({
      adapterId: expect.stringMatching(/^adapter-[0-9a-f]{12}$/),
      baseId: "base-1",
      spec: { rank: 8, alpha: 8, targets: ["q_proj", "v_proj"], dropout: 0, seed: 3n, useRslora: false },
    });
  });

  it.each([
    [{ rank: 17 }, "rank is 17: the base stub takes at most 16. Give an integer from 1 to 16."],
    [
      { rank: 4, targets: ["q_prj"] },
      "targets[0] is q_prj: there is no such projection. Did you mean q_proj? stub has q_proj, k_proj, v_proj.",
    ],
    [
      { rank: 4, targets: ["q_proj", "q_proj"] },
      "targets[1] is q_proj: it is there twice. Name each projection once.",
    ],
  ])("is refused before the worker is asked: %j", async (options, message) => {
    const { base, transport } = await stubWorker();
    const calls = transport.calls.length;
    await expect(base.createAdapter(options)).rejects.toThrow(message);
    expect(transport.calls).toHaveLength(calls);
  });
});

describe("saving an adapter", () => {
  it("writes PEFT's files", async () => {
    const { adapter, folder, transport } = await saving();
    await adapter.save(folder);
    expect(transport.requestsOf(AdaptersService.downloadAdapter)).toEqual([
      { adapterId: "adapter-1", withCard: true },
    ]);
    expect((await readdir(folder)).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    expect(await readFile(join(folder, "adapter_model.safetensors"))).toEqual(
      Buffer.concat(weights.map(({ data }) => data)),
    );
  });

  it("leaves a folder that is there alone unless it may be replaced", async () => {
    const { adapter, folder } = await saving();
    await mkdir(folder);
    await writeFile(join(folder, "mine.txt"), "mine");
    await expect(adapter.save(folder)).rejects.toMatchObject({ code: "already-exists", option: "folder" });
    expect(await readdir(folder)).toEqual(["mine.txt"]);
    const replaced = adapter.save(folder, { overwrite: true });
    await expect(replaced).rejects.toMatchObject({
      code: "already-exists",
      remedy: expect.stringContaining("mine.txt"),
    });
    expect(await readdir(folder)).toEqual(["mine.txt"]);
    await rm(join(folder, "mine.txt"));
    await adapter.save(folder, { overwrite: true });
    expect(await readdir(folder)).toHaveLength(2);
    expect(await readdir(join(folder, ".."))).toEqual(["adapter"]);
  });

  it("never replaces a file, and goes where a link leads", async () => {
    const { adapter, folder } = await saving();
    await writeFile(folder, "mine");
    await expect(adapter.save(folder, { overwrite: true })).rejects.toMatchObject({ code: "already-exists" });
    const other = `${folder}-other`;
    await adapter.save(other);
    await symlink(other, `${folder}-link`);
    await adapter.save(`${folder}-link`, { overwrite: true });
    expect((await lstat(`${folder}-link`)).isSymbolicLink()).toBe(true);
    expect(await readdir(other)).toHaveLength(2);
    await expect(adapter.save(undefined as never)).rejects.toMatchObject({
      code: "invalid-option",
      option: "folder",
    });
  });

  it("leaves nothing behind, and the old one whole, when the worker fails on the way", async () => {
    const { adapter, folder, transport } = await saving();
    await adapter.save(folder);
    transport.onStream(AdaptersService.downloadAdapter, async function* () {
      yield { piece: config };
      throw new LadError("internal", "no more.");
    });
    await expect(adapter.save(folder, { overwrite: true })).rejects.toMatchObject({ code: "internal" });
    expect(await readdir(join(folder, ".."))).toEqual(["adapter"]);
    expect(await readdir(folder)).toHaveLength(2);
  });

  it.each(["../evil", "/etc/passwd", "a/b", ".hidden", ""])("never writes a file named %j", async (name) => {
    const { adapter, folder } = await saving([{ name, data: Buffer.from("x") }]);
    await expect(adapter.save(folder)).rejects.toMatchObject({ code: "invalid-file" });
    expect(await readdir(join(folder, ".."))).toEqual([]);
  });

  it("names the folder when it cannot be written", async () => {
    const { adapter } = await saving();
    await expect(adapter.save("/dev/null/adapter")).rejects.toMatchObject({
      code: "storage",
      option: "folder",
    });
  });
});

describe("loading an adapter", () => {
  async function loading(files: Record<string, string | Buffer>) {
    const folder = await newFolder();
    await mkdir(folder);
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    const worker = await stubWorker();
    const sent: [string, number][] = [];
    const declared: { name: string; bytes: bigint }[] = [];
    worker.transport.onUpload(AdaptersService.uploadAdapter, async (requests) => {
      for await (const { part } of requests) {
        if (part?.$case === "header") declared.push(...part.value.files);
        else sent.push([part?.value.name ?? "", part?.value.data.length ?? 0]);
      }
      const { adapter } = worker;
      return {
        adapter: {
          id: "adapter-2",
          baseId: adapter.info.baseId,
          spec: { rank: 4, alpha: 4, targets: ["q_proj"], dropout: 0, seed: 0n, useRslora: false },
          parameterCount: 1n,
          bytes: 1n,
          steps: 0n,
          lastSequence: 0n,
        },
      };
    });
    return { ...worker, folder, sent, declared };
  }

  it("sends all of it again when the worker was busy", async () => {
    const files = { "adapter_config.json": "{}", "adapter_model.safetensors": "x" };
    const { base, transport, folder } = await loading(files);
    const tries: string[][] = [];
    transport.onUpload(AdaptersService.uploadAdapter, async (requests) => {
      const parts: string[] = [];
      tries.push(parts);
      for await (const { part } of requests) {
        parts.push(part?.$case === "piece" ? part.value.name : "header");
        if (tries.length === 1) throw new LadError("busy", "Later.", { retryAfterMs: 10 });
      }
      return { adapter: undefined };
    });
    await expect(base.loadAdapter(folder)).rejects.toThrow("an adapter");
    expect(tries).toEqual([["header"], ["header", "adapter_config.json", "adapter_model.safetensors"]]);
  });

  it("declares the files, then sends them in pieces of at most 1 MiB, and nothing else of the folder", async () => {
    const { base, folder, sent, declared } = await loading({
      "adapter_config.json": "{}",
      "adapter_model.safetensors": Buffer.alloc(2 ** 20 + 5),
      "README.md": "x",
    });
    expect((await base.loadAdapter(folder)).id).toBe("adapter-2");
    expect(sent).toEqual([
      ["adapter_config.json", 2],
      ["adapter_model.safetensors", 2 ** 20],
      ["adapter_model.safetensors", 5],
    ]);
    expect(declared).toEqual([
      { name: "adapter_config.json", bytes: 2n },
      { name: "adapter_model.safetensors", bytes: 2n ** 20n + 5n },
    ]);
  });

  it("says once what is assumed where its files do not say how it was trained", async () => {
    const { base, folder, warnings } = await loading({
      "adapter_config.json": "{}",
      "adapter_model.safetensors": "x",
    });
    for (let time = 0; time < 2; time++) await base.loadAdapter(folder);
    expect(warnings).toEqual([expect.stringMatching(/no lad\.json.*attention full.*\[MASK\]/)]);
  });

  it("needs both files", async () => {
    const { base, folder } = await loading({ "adapter_model.safetensors": "x" });
    await expect(base.loadAdapter(folder)).rejects.toMatchObject({ code: "not-found", option: "folder" });
    await expect(base.loadAdapter(join(folder, "nowhere"))).rejects.toMatchObject({ code: "not-found" });
  });

  it("names the folder inside it that PEFT keeps an adapter with a name in", async () => {
    const { base, folder } = await loading({ "README.md": "x" });
    await mkdir(join(folder, "mine"));
    await writeFile(join(folder, "mine", "adapter_config.json"), "{}");
    await expect(base.loadAdapter(folder)).rejects.toMatchObject({
      code: "not-found",
      remedy: `Give ${join(folder, "mine")}.`,
    });
  });

  it("refuses weights in a pickle", async () => {
    const { base, folder } = await loading({ "adapter_config.json": "{}", "adapter_model.bin": "x" });
    await expect(base.loadAdapter(folder)).rejects.toMatchObject({ code: "invalid-file" });
  });
});

describe("the training primitives", () => {
  const sequences = [{ ids: [1, 2], targets: [1, -1], weights: [0.5, 0] }];

  async function primitives() {
    const worker = await stubWorker();
    worker.transport
      .onCall(TrainingService.forwardBackward, () => ({
        loss: 1.5,
        tokens: 2n,
        supervisedTokens: 1n,
        ce: toFloat32Bytes([3, 0]),
      }))
      .onCall(TrainingService.optimStep, () => ({ gradientNorm: 2, step: 7n }));
    return worker;
  }

  it("send what the caller gives and number it", async () => {
    const { adapter, transport } = await primitives();
    const result = await adapter.forwardBackward({ sequences });
    expect(result).toEqual({ loss: 1.5, tokens: 2, supervisedTokens: 1, ce: Float32Array.of(3, 0) });
    expect(await adapter.optimStep({ learningRate: 0.1 })).toEqual({ gradientNorm: 2, step: 7 });
    const [first] = transport.requestsOf(TrainingService.forwardBackward);
    expect(first?.sequence).toBe(1n);
    expect(first?.input?.$case).toBe("sequences");
    const sent = first?.input?.$case === "sequences" ? first.input.value.sequences[0] : undefined;
    expect(sent).toMatchObject({ ids: [1, 2], targets: [1, -1] });
    expect(fromFloat32Bytes(sent?.weights ?? Buffer.alloc(0))).toEqual(Float32Array.of(0.5, 0));
    expect(transport.requestsOf(TrainingService.optimStep)[0]).toMatchObject({
      sequence: 2n,
      learningRate: 0.1,
      maxGradientNorm: 0.5,
    });
  });

  it("are sent again with the same number when the worker was out of reach", async () => {
    const { adapter, transport } = await primitives();
    let calls = 0;
    transport.onCall(TrainingService.optimStep, () => {
      if (++calls === 1) throw new LadError("unavailable", "not now.");
      return { gradientNorm: 2, step: 1n };
    });
    await adapter.optimStep({ learningRate: 0.1 });
    expect(transport.requestsOf(TrainingService.optimStep).map(({ sequence }) => sequence)).toEqual([1n, 1n]);
  });
});
