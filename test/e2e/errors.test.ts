import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { join } from "node:path";
import {
  type Adapter,
  type Base,
  isLadError,
  jsonl,
  LadError,
  type LadErrorCode,
  lad,
  Runtime,
  refine,
  type TrainingOptions,
  workerJsonl,
} from "lad";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const small = { data: EXAMPLES, windowTokens: 48, steps: 1, warmupSteps: 0 };
const hubVariables = ["HF_ENDPOINT", "HF_HOME", "HF_TOKEN"] as const;
const before = hubVariables.map((name) => [name, process.env[name]] as const);

let hub: Server;
let runtime: Runtime;
let base: Base;
let adapter: Adapter;

beforeAll(async () => {
  hub = emptyHub();
  await listening(hub);
  process.env.HF_ENDPOINT = `http://127.0.0.1:${portOf(hub)}`;
  process.env.HF_HOME = join(scratch, "hub");
  process.env.HF_TOKEN = "";
  runtime = await startRuntime(join(scratch, "state"));
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 2 });
});

afterEach(async () => {
  const { report } = await adapter.train(small).result();
  expect(report?.loss).toBeGreaterThan(0);
});

afterAll(async () => {
  await runtime?.close();
  hub?.close();
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

/** What an error has to say: its code, the option, the value, what is wrong and what to do. */
interface Expected {
  readonly code: LadErrorCode;
  readonly option?: string;
  readonly value?: string | RegExp;
  readonly says?: RegExp;
}

async function refused(act: () => unknown, { code, option, value, says }: Expected): Promise<void> {
  const error = await errorOf(act);
  expect(error).toBeInstanceOf(LadError);
  if (!isLadError(error)) return;
  expect(error.code).toBe(code);
  expect(error.remedy, error.message).toMatch(/^\S.*[.?]$/s);
  // A remedy that says no more than the message is not said twice: `it must be an integer. Give an integer.`
  const said = ` must be ${error.remedy?.replace(/^Give /, "")}`;
  expect(error.message.endsWith(said) || error.message.endsWith(` ${error.remedy}`), error.message).toBe(
    true,
  );
  if (option !== undefined) {
    expect(error.option).toBe(option);
    expect(error.message).toContain(option.split(".").at(-1));
  }
  if (typeof value === "string") expect(error.message).toContain(value);
  else if (value !== undefined) expect(error.message).toMatch(value);
  if (says !== undefined) expect(error.message).toMatch(says);
}

async function errorOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Options as a program without types may give them. */
function untyped<Options>(options: object): Options {
  return options as Options;
}

function train(options: object): Promise<unknown> {
  return adapter.train(untyped<TrainingOptions>({ ...small, ...options })).result();
}

function sample(options: object): Promise<unknown> {
  return adapter.sample({ messages: "Say abc.", answerTokens: 4, policy: "refine", ...options }).result();
}

describe("a wrong option is named with its value and a remedy, and the worker goes on:", () => {
  const cases: [string, () => unknown, Expected][] = [
    [
      "a rank of 0",
      () => base.createAdapter({ rank: 0 }),
      { code: "invalid-option", option: "rank", value: "0" },
    ],
    [
      "a rank above the maximum",
      () => base.createAdapter({ rank: base.info.maxRank + 1 }),
      { code: "invalid-option", option: "rank", value: "1025", says: /1024/ },
    ],
    [
      "a projection that does not exist",
      () => base.createAdapter({ rank: 2, targets: ["q_porj"] }),
      { code: "invalid-option", option: "targets[0]", value: "q_porj", says: /Did you mean q_proj\?/ },
    ],
    [
      "an attention mode that there is not",
      () => train({ attention: "casual-prefix" }),
      { code: "invalid-option", option: "attention", value: "casual-prefix", says: /causal-prefix/ },
    ],
    [
      "a loss over prompts that nothing of the adapter computes",
      () => train({ attention: "causal-prefix" }),
      { code: "invalid-option", option: "loss.supervise", value: "all-tokens" },
    ],
    [
      "a share of nothing",
      () => sample({ shareWeight: 0 }),
      { code: "invalid-option", option: "shareWeight", value: "0" },
    ],
    [
      "a canvas that grows and an answer that goes canvas by canvas",
      () => sample({ growTokens: 1, canvasTokens: 2 }),
      { code: "invalid-option", option: "growTokens" },
    ],
    [
      "a mask string that is not one token",
      () => runtime.loadBase("stub", { maskToken: "two tokens" }),
      { code: "invalid-option", option: "maskToken", value: "two tokens" },
    ],
    [
      "numbers that float32 does not hold",
      () => base.createAdapter({ rank: 2, alpha: 1e300 }),
      { code: "invalid-option", option: "alpha", says: /float32/ },
    ],
    [
      "a learning rate that float32 does not hold",
      () => train({ learningRate: 1e300 }),
      { code: "invalid-option", option: "learningRate", says: /float32/ },
    ],
    [
      "an EOS bias that float32 does not hold",
      () => sample({ eosBias: 1e300 }),
      { code: "invalid-option", option: "eosBias" },
    ],
    [
      "a string for a number, which the message tells from one",
      () => base.createAdapter({ rank: "4" as never }),
      { code: "invalid-option", option: "rank", value: '"4"' },
    ],
    [
      "ids to decode that are none",
      () => base.decode([-1]),
      { code: "invalid-option", option: "sequences[0][0]", value: "-1" },
    ],
    [
      "ids to decode that the vocabulary lacks",
      () => base.decode([99_999]),
      { code: "invalid-option", option: "sequences", value: "99999" },
    ],
    [
      "events from before the first",
      () => runtime.run("run-none").events({ fromSeq: -1 }),
      { code: "invalid-option", option: "fromSeq", value: "-1" },
    ],
    [
      "a message beyond all bounds",
      () => base.encode("a".repeat(65 * 2 ** 20)),
      { code: "invalid-option", says: /8 MiB/ },
    ],
    [
      "an unknown option, with the nearest that there is",
      () => train({ learningrate: 1e-3 }),
      { code: "invalid-option", option: "learningrate", says: /Did you mean learningRate\?/ },
    ],
    [
      "an unknown option of a noise",
      () => train({ noise: { kind: "lad", swapscale: 1 } }),
      { code: "invalid-option", option: "noise.swapscale", says: /Did you mean swapScale\?/ },
    ],
    [
      "an unknown option of a runtime",
      () => Runtime.start(untyped({ devise: "cpu" })),
      { code: "invalid-option", option: "devise", says: /Did you mean device\?/ },
    ],
    [
      "a learning rate that is no number",
      () => train({ learningRate: Number.NaN }),
      { code: "invalid-option", option: "learningRate", value: "NaN" },
    ],
    [
      "a learning rate that is no number, of a primitive",
      () => adapter.optimStep({ learningRate: Number.NaN }),
      { code: "invalid-option", option: "learningRate", value: "NaN" },
    ],
    [
      "an unknown policy",
      () => sample({ policy: "refined" }),
      { code: "invalid-option", option: "policy", value: "refined", says: /Did you mean refine\?/ },
    ],
    [
      "a policy that is called a mode",
      () => sample({ mode: "refine" }),
      { code: "invalid-option", option: "mode", value: "refine", says: /Did you mean policy: "refine"\?/ },
    ],
    [
      "an option of another policy",
      () => sample({ policy: refine(), sharpness: 2 }),
      {
        code: "invalid-option",
        option: "sharpness",
        value: "2",
        says: /policy: remask\(\{ sharpness: 2 \}\)/,
      },
    ],
    [
      "an unknown noise",
      () => train({ noise: "gaussian" }),
      { code: "invalid-option", option: "noise", value: "gaussian", says: /mask-only/ },
    ],
    [
      "a probability above 1",
      () => lad({ maskProbability: 1.5 }),
      { code: "invalid-option", option: "maskProbability", value: "1.5" },
    ],
    [
      "an answer longer than the model's positions",
      () => sample({ answerTokens: 5000 }),
      {
        code: "invalid-option",
        option: "answerTokens",
        value: "5000",
        says: /1024 positions, and the prompt takes \d+ of them\. Give \d+ or fewer/,
      },
    ],
    [
      "a token id that the vocabulary does not have",
      () => adapter.predict({ canvases: [{ ids: [1, 9999], answerStart: 1 }] }),
      { code: "invalid-option", option: "ids", value: "9999" },
    ],
    [
      "a device that is not there",
      () => Runtime.start(untyped({ device: "tpu" })),
      { code: "invalid-option", option: "device", value: "tpu", says: /cpu, cuda/ },
    ],
  ];

  it.each(cases)("%s", (_, act, expected) => refused(act, expected));
});

describe("wrong data are named with a remedy, and the worker goes on:", () => {
  const file = (name: string, text: string) => {
    const path = join(scratch, name);
    writeFileSync(path, text);
    return path;
  };
  const wrongLine = '{"instruction": "a", "output": "b"}\n{"instruction": "a"\n';
  const cases: [string, () => unknown, Expected][] = [
    ["no examples", () => train({ data: [] }), { code: "invalid-option", option: "data" }],
    [
      "an empty file",
      () => train({ data: jsonl(file("empty.jsonl", "")) }),
      { code: "invalid-data", says: /no examples|empty/i },
    ],
    [
      "a line that is no JSON",
      () => train({ data: jsonl(file("wrong.jsonl", wrongLine)) }),
      { code: "invalid-data", says: /line 2/i },
    ],
    [
      "an example longer than the window, where that is to be an error",
      () => train({ tooLong: "error" }),
      { code: "invalid-data", says: /48/ },
    ],
    [
      "examples none of which fits",
      () => train({ windowTokens: 4 }),
      { code: "invalid-data", says: /windowTokens|window/ },
    ],
    [
      "a file that is not there",
      () => train({ data: jsonl(join(scratch, "none.jsonl")) }),
      { code: "not-found", option: "data", value: "none.jsonl" },
    ],
    [
      "a file that is not there on the worker's machine",
      () => train({ data: workerJsonl(join(scratch, "none.jsonl")) }),
      { code: "not-found", value: "none.jsonl" },
    ],
  ];

  it.each(cases)("%s", (_, act, expected) => refused(act, expected));
});

describe("a wrong file or name is told apart from a damaged one, and the worker goes on:", () => {
  it("a folder that is not there", () =>
    refused(() => runtime.loadBase(join(scratch, "no-model")), { code: "not-found", value: "no-model" }));

  it("a model whose weights are damaged", async () => {
    const folder = join(scratch, "damaged");
    mkdirSync(folder);
    cpSync(tinyBase(), folder, { recursive: true });
    truncateSync(join(folder, "model.safetensors"), 100_000);
    await refused(() => runtime.loadBase(folder), { code: "invalid-file", value: "model.safetensors" });
    writeFileSync(join(folder, "model.safetensors"), "no tensors at all");
    await refused(() => runtime.loadBase(folder), { code: "invalid-file", value: "model.safetensors" });
  });

  it("an adapter whose weights are damaged, or missing", async () => {
    const folder = join(scratch, "adapter");
    await adapter.save(folder);
    const weights = join(folder, "adapter_model.safetensors");
    writeFileSync(weights, readFileSync(weights).subarray(0, -8));
    await refused(() => base.loadAdapter(folder), { code: "invalid-file", says: /adapter_model/ });
    await refused(() => base.loadAdapter(scratch), { code: "not-found", option: "folder" });
  });

  it("a checkpoint that is not there", () =>
    refused(() => base.loadCheckpoint("never"), { code: "not-found", value: "never" }));

  it("an adapter and a run that are not there", async () => {
    await refused(() => runtime.adapter("adapter-none"), { code: "not-found", value: "adapter-none" });
    await refused(() => runtime.run("run-none").info(), { code: "not-found", value: "run-none" });
  });

  it("a hub id that is not there, a gated one without a token, a hub out of reach", async () => {
    await refused(() => runtime.loadBase("nobody/nothing"), { code: "not-found", value: "nobody/nothing" });
    await refused(() => runtime.loadBase("owner/gated"), { code: "access-denied", says: /token/i });
    await refused(() => runtime.loadBase("owner/away"), { code: "unavailable", value: "owner/away" });
  });
});

describe("the worker's place is named with a remedy:", () => {
  it("a port in use", async () => {
    const taken = createTcpServer();
    await listening(taken);
    const port = portOf(taken);
    try {
      const expected = { code: "port-in-use", option: "port", value: String(port) } as const;
      await refused(() => Runtime.start({ container: "cpu", port }), expected);
    } finally {
      taken.close();
    }
  });

  it("an address that is none, at once", async () => {
    for (const address of ["junk", "http://127.0.0.1:50051", "127.0.0.1"]) {
      await refused(() => Runtime.start({ address, token: "0123456789abcdef" }), {
        code: "invalid-option",
        option: "address",
        value: address,
      });
    }
  });

  it("a token that no header can carry, without showing it", async () => {
    const token = "secret\nsecret-secret";
    const start = Runtime.start({ address: "127.0.0.1:9", token });
    await expect(start).rejects.toMatchObject({ code: "invalid-option", option: "token" });
    await expect(start).rejects.not.toThrow(/secret/);
  });

  it("an address where nothing listens", async () => {
    const address = "127.0.0.1:9";
    const options = { address, token: "0123456789abcdef", startTimeoutMs: 700 };
    await refused(() => Runtime.start(options), { code: "timeout", value: address });
  });

  it("a wrong token", async () => {
    const { address } = runtime;
    await refused(() => Runtime.start({ address, token: "0123456789abcdef" }), { code: "unauthenticated" });
  });
});

/** Knows one gated model, and breaks the connection for another one. */
function emptyHub(): Server {
  return createServer((request, response) => {
    const url = request.url ?? "";
    if (url.includes("owner/away")) {
      request.socket.destroy();
      return;
    }
    const isGated = url.includes("owner/gated");
    response.writeHead(isGated ? 403 : 404, { "X-Error-Code": isGated ? "GatedRepo" : "RepoNotFound" });
    response.end();
  });
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** The folder of the base that is shipped. */
function tinyBase(): string {
  return join(import.meta.dirname, "../../runtime/lad_runtime/tiny/bases/tiny");
}
