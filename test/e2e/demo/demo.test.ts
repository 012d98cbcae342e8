/** The demo's server over a real worker: what its calls give is what the SDK gives. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Adapter, type Base, policies, type Runtime, recipes, remask, threshold } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../../sdk/src/demo/demo.js";
import type {
  About,
  NoiseReply,
  SampleLine,
  ShownAnswer,
  ShownFrame,
} from "../../../sdk/src/demo/messages.js";
import { type Edit, edited } from "../../../sdk/web/src/core/edits.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const QUESTION = "Say abc.";
const recipe = { ...recipes.stub, training: { ...recipes.stub.training, windowTokens: 48, steps: 3 } };
const failures: unknown[] = [];
/** The user's adapters, the last saved first. */
const library: { name: string; folder: string }[] = [];

let runtime: Runtime;
let base: Base;
let adapter: Adapter;
let demo: Demo;

beforeAll(async () => {
  runtime = await startRuntime(join(scratch, "state"));
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 3, seed: 7 });
  const training = { windowTokens: 48, batchSize: 4, warmupSteps: 1, learningRate: 0.1, steps: 12 };
  await adapter.train({ ...training, data: EXAMPLES }).result();
  const folder = join(scratch, "mine");
  await adapter.save(folder);
  library.push({ name: "mine", folder });
  const page = join(scratch, "page");
  mkdirSync(page);
  writeFileSync(join(page, "index.html"), "<!doctype html><title>lad demo</title>");
  demo = await startDemo({
    runtime,
    base,
    recipe,
    saved: async () => library,
    keep: async (trained, name) => {
      await trained.save(join(scratch, name));
      library.push({ name, folder: join(scratch, name) });
    },
    examples: [{ question: QUESTION, answer: "abc" }],
    training: { train: EXAMPLES, heldout: EXAMPLES },
    page,
    onFailure: (error) => failures.push(error),
  });
});

afterAll(async () => {
  await demo?.[Symbol.asyncDispose]();
  await runtime?.close();
  expect(failures).toEqual([]);
});

function ask(path: string, body?: object, more: RequestInit = {}): Promise<Response> {
  return fetch(`${demo.origin}/api/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${demo.token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...more,
  });
}

async function json<Reply>(path: string, body?: object): Promise<Reply> {
  const response = await ask(path, body);
  expect(response.status, `${path} ${await response.clone().text()}`).toBe(200);
  return (await response.json()) as Reply;
}

async function sampled(request: object): Promise<{ frames: ShownFrame[]; answer: ShownAnswer }> {
  const text = await (
    await ask("sample", { model: "saved:mine", question: QUESTION, seed: 5, ...request })
  ).text();
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as SampleLine);
  const frames = lines.filter((line): line is ShownFrame => line.type === "frame");
  const answer = lines.find((line): line is ShownAnswer => line.type === "answer");
  if (answer === undefined) throw new Error(text);
  return { frames, answer };
}

/** An answer whose first position the user has pinned. */
function pinnedAtStart(frame: ShownFrame | undefined) {
  if (frame?.state === undefined) throw new Error("There is no such frame.");
  const pins = frame.answer.map(() => false);
  const before = { state: frame.state, pins, sampled: frame.answer };
  const { state, pins: after } = edited(before, { kind: "pin", from: 0, to: 1, on: true }, facts());
  return { state, pins: after, sampled: frame.answer };
}

function facts() {
  const { maskTokenId, eosTokenId, stopTokenIds } = base;
  return { maskTokenId, eosTokenId, stopTokenIds };
}

describe("who may call", () => {
  it.each([
    "about",
    "models",
    "runs",
    "sample",
    "noise",
    "tokens",
    "runs/x/events",
    "runs/x/cancel",
    "runs/x/keep",
  ])("%s only with the token", async (path) => {
    for (const headers of [{}, { authorization: "Bearer 0" }]) {
      expect((await ask(path, undefined, { headers })).status).toBe(401);
      expect((await ask(path, {}, { headers })).status).toBe(401);
    }
  });

  it("no page of another origin, with or without the token", async () => {
    const headers = { authorization: `Bearer ${demo.token}`, origin: "http://localhost:1" };
    const response = await ask("about", undefined, { headers });
    expect(response.status).toBe(403);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("the page itself without it, which may load nothing but its own files", async () => {
    const response = await fetch(`${demo.origin}/`);
    expect(await response.text()).toContain("lad demo");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect((await fetch(`${demo.origin}/..%2fmine/adapter_config.json`)).status).toBe(404);
    expect((await fetch(`${demo.origin}/adapter_config.json`)).status).toBe(404);
  });
});

describe("what is told of the demo", () => {
  it("has the saved adapters first, the base last, and every policy", async () => {
    const about = await json<About>("about");
    expect(about.models.at(0)).toEqual({ id: "saved:mine", name: "mine", kind: "saved" });
    expect(about.models.at(-1)).toEqual({ id: "base", name: "stub, the base", kind: "base" });
    expect(about.policies.map(({ kind }) => kind)).toEqual(Object.keys(policies));
    expect(about).toMatchObject({
      baseName: "stub",
      baseDenoises: false,
      maskTokenId: base.maskTokenId,
      steps: 3,
    });
  });
});

describe("a lane", () => {
  it("has the frames and the answer of the SDK's own run, with the texts of the tokens", async () => {
    const policy = remask({ iterations: 6 });
    const { frames, answer } = await sampled({ policy, answerTokens: 12, temperature: 0.8 });
    const options = { messages: QUESTION, seed: 5, policy, answerTokens: 12, temperature: 0.8 };
    const run = adapter.sample(options);
    const answers: (readonly number[])[] = [];
    for await (const frame of run) answers.push(frame.answer);
    const own = await run.result();
    expect(frames.map((frame) => frame.answer)).toEqual(answers);
    expect(answer).toMatchObject({ text: own.text, iterations: own.iterations, stopped: own.stopped });
    for (const { pieces, answer: ids } of frames) expect(pieces).toEqual(await base.pieces(ids));
  });

  it("goes on from where it was edited as if nothing had come between", async () => {
    const request = { policy: remask({ iterations: 6 }), answerTokens: 12, temperature: 0.8 };
    const { frames } = await sampled(request);
    const from = frames[2]?.state;
    const rest = await sampled({ ...request, from });
    expect(rest.frames.map(({ answer }) => answer)).toEqual(frames.slice(3).map(({ answer }) => answer));
  });

  it.each([
    ["pin", { kind: "pin", from: 2, to: 5, on: true }],
    ["type over", { kind: "write", from: 2, to: 4, ids: [70, 71, 72], pieces: [] }],
    ["write again", { kind: "again", from: 3, to: 6, tokens: 3 }],
    ["denoise again", { kind: "on" }],
  ] satisfies [string, Edit][])("keeps what the user wants to keep: %s", async (_, edit) => {
    const request = { policy: remask({ iterations: 6 }), answerTokens: 12, temperature: 0.8 };
    const { frames } = await sampled(request);
    for (const frame of [frames[1], frames.at(-1)]) {
      const { state, pins, goesOn, strength } = edited(pinnedAtStart(frame), edit, facts());
      expect(state.ids).toHaveLength(12);
      expect(goesOn).toBe(edit.kind !== "pin" || frame !== frames.at(-1));
      if (edit.kind === "again") {
        expect(state.masked.slice(3, 6)).toEqual([true, true, true]);
        expect(state.pinned).toEqual(state.masked.map((is) => !is));
      }
      if (!goesOn) continue;
      const last = (await sampled({ ...request, from: state, strength })).frames.at(-1)?.answer ?? [];
      expect(last).toEqual(last.map((id, p) => (state.pinned[p] ? state.ids[p] : id)));
      expect(pins[0]).toBe(true);
      if (edit.kind === "write") expect(last.slice(2, 5)).toEqual([70, 71, 72]);
    }
  });

  it("mends a draft", async () => {
    const { frames } = await sampled({
      policy: { kind: "refine", iterations: 1 },
      draft: "abcd",
      answerTokens: 8,
    });
    const ids = await base.encode("abcd");
    const own = adapter.sample({
      messages: QUESTION,
      seed: 5,
      policy: { kind: "refine", iterations: 1 },
      draft: ids,
      answerTokens: 8,
    });
    expect(frames[0]?.answer).toEqual((await own.result()).canvasIds);
  });

  it("mends a draft that is pasted into a run, under way or ended, as one that was asked with it", async () => {
    const request = { policy: remask({ iterations: 6 }), answerTokens: 12, temperature: 0.8 };
    const asked = await sampled({ ...request, draft: "abcd" });
    const ids = await base.encode("abcd");
    const { frames } = await sampled(request);
    for (const frame of [frames[1], frames.at(-1)]) {
      const { state, strength } = edited(pinnedAtStart(frame), { kind: "draft", ids, pieces: [] }, facts());
      const pasted = await sampled({ ...request, from: state, strength });
      expect(pasted.frames).toHaveLength(3);
      expect(pasted.frames.map(({ answer }) => answer)).toEqual(asked.frames.map(({ answer }) => answer));
    }
  });

  it("shows what self-speculation refused", async () => {
    const { frames, answer } = await sampled({
      policy: { kind: "speculative", draftTokens: 4 },
      answerTokens: 12,
    });
    expect(answer.speculation?.checkForwards).toBeGreaterThan(0);
    for (const { speculation, refused } of frames) {
      expect(refused).toHaveLength((speculation?.drafted.length ?? 0) - (speculation?.accepted ?? 0));
    }
    expect(frames.every(({ state }) => state === undefined)).toBe(true);
  });

  it.each([
    [{ policy: { kind: "remsk" } }, 400, "remask"],
    [{ policy: threshold(), seed: -1 }, 400, "seed"],
    [{ policy: { kind: "remask", sharpness: -1 } }, 400, "sharpness"],
    [{ policy: threshold(), question: "" }, 400, "The question is empty."],
    [{ policy: threshold(), model: "saved:yours" }, 404, "There is no model saved:yours."],
    [{ policy: threshold(), surprise: 1 }, 400, "surprise"],
  ])("is refused what cannot be: %j", async (wrong, status, text) => {
    const response = await ask("sample", { model: "saved:mine", question: QUESTION, seed: 5, ...wrong });
    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: { message: string } }).error.message).toContain(text);
  });

  it("ends its run on the worker when its reader goes away", async () => {
    const leaving = new AbortController();
    const request = {
      model: "base",
      question: QUESTION,
      seed: 1,
      policy: { kind: "refine", iterations: 100_000, earlyStop: false },
    };
    const response = await ask(
      "sample",
      { ...request, temperature: 2, answerTokens: 8 },
      { signal: leaving.signal },
    );
    await response.body?.getReader().read();
    leaving.abort();
    await expect
      .poll(async () => (await runtime.runs()).at(-1)?.state, { timeout: 10_000 })
      .toBe("cancelled");
  });
});

describe("the noise lab", () => {
  const calm = { text: "abcdefgh", seed: 3, draws: 200, masked: 0, swapped: 0, duplicated: 0, shifted: 0 };

  it("changes nothing at strength 0", async () => {
    const { clean, drawn, rates, counts } = await json<NoiseReply>("noise", calm);
    expect(drawn.ids).toEqual(clean.ids);
    expect(clean.pieces.join("")).toBe("abcdefgh");
    expect(rates.every((rate) => rate === 0)).toBe(true);
    expect(counts[0]).toBe(200);
  });

  it.each(["masked", "swapped", "duplicated", "shifted"] as const)(
    "corrupts more the stronger it is: %s",
    async (kind) => {
      const mean = async (level: number) => {
        const { counts } = await json<NoiseReply>("noise", { ...calm, [kind]: level });
        expect(counts.reduce((sum, count) => sum + count)).toBe(200);
        return counts.reduce((sum, count, tokens) => sum + count * tokens, 0) / 200;
      };
      const [little, half, all] = [await mean(0.2), await mean(0.5), await mean(1)];
      expect(little).toBeGreaterThan(0);
      expect(half).toBeGreaterThan(little);
      expect(all).toBeGreaterThan(half);
    },
  );

  it("masks all of it at strength 1, and draws the same again from the same seed", async () => {
    const all = await json<NoiseReply>("noise", { ...calm, masked: 1 });
    expect(all.drawn.masked.every(Boolean)).toBe(true);
    const some = { ...calm, masked: 0.5, swapped: 0.5 };
    expect(await json("noise", some)).toEqual(await json("noise", some));
    expect((await json<NoiseReply>("noise", { ...some, seed: 4 })).drawn.ids).not.toEqual(
      (await json<NoiseReply>("noise", some)).drawn.ids,
    );
  });

  it("is refused a strength that there is not", async () => {
    expect((await ask("noise", { ...calm, masked: 1.5 })).status).toBe(400);
  });

  it("is refused more draws of a long text than are made, by name, and answers others while it draws", async () => {
    const long = { ...calm, text: "a".repeat(20_000), draws: 1000 };
    const refused = await ask("noise", long);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { code: "invalid-option", field: "draws" } });
    const leave = new AbortController();
    let isDone = false;
    const drawing = ask("noise", { ...long, draws: 400 }, { signal: leave.signal }).finally(() => {
      isDone = true;
    });
    await json("tokens", { text: "abc" });
    expect(isDone).toBe(false);
    leave.abort();
    await expect(drawing).rejects.toThrow();
  });
});

describe("a training", () => {
  it("is started, followed to its end, and asked", async () => {
    const { id } = await json<{ id: string }>("runs", { rank: 2, steps: 3, seed: 1 });
    const lines = (await (await ask(`runs/${id}/events`)).text()).trim().split("\n");
    const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types.filter((type) => type === "step")).toHaveLength(3);
    expect(types).toContain("validation");
    expect(types.at(-1)).toBe("finished");
    const [run] = await json<{ id: string; model: string }[]>("runs");
    expect(run).toMatchObject({ id, model: `run:${id}`, state: "finished", steps: 3 });
    const { models } = await json<About>("about");
    expect(models.map((model) => model.id)).toContain(`run:${id}`);
    expect(
      (await sampled({ model: `run:${id}`, policy: threshold({ iterations: 2 }), answerTokens: 4 })).frames
        .length,
    ).toBeGreaterThan(0);
  });

  it("leaves what it had on its way, each by its step, to be asked beside its end", async () => {
    const { id } = await json<{ id: string }>("runs", { rank: 2, steps: 400, seed: 3 });
    await (await ask(`runs/${id}/events`)).text();
    const ofRun = async () => {
      const models = await json<About["models"]>("models");
      return models.filter((model) => model.id.startsWith(`step:${id}@`));
    };
    await expect.poll(async () => (await ofRun()).length).toBeGreaterThanOrEqual(2);
    const steps = (await ofRun()).map((model) => Number(model.id.split("@")[1]));
    expect(steps).toEqual([...new Set(steps)].sort((a, b) => b - a));
    expect(steps.every((step) => step > 0 && step < 400)).toBe(true);
    expect((await ofRun()).every(({ name }, i) => name.endsWith(`step ${steps[i]} of 400`))).toBe(true);
    const asked = { policy: threshold({ iterations: 2 }), answerTokens: 8 };
    const confidences = async (model: string) =>
      (await sampled({ ...asked, model })).frames[0]?.state?.confidences;
    const [last, first] = [`step:${id}@${steps[0]}`, `step:${id}@${steps.at(-1)}`];
    expect(await confidences(first)).not.toEqual(await confidences(last));
    expect(await confidences(first)).toEqual(await confidences(first));
    expect(
      (await ask("sample", { model: `step:${id}@7777`, question: QUESTION, seed: 1, policy: threshold() }))
        .status,
    ).toBe(404);
  });

  it("keeps its adapter by a name, which is asked as any other and answers the same", async () => {
    const { id } = await json<{ id: string }>("runs", { rank: 2, steps: 3, seed: 2 });
    await (await ask(`runs/${id}/events`)).text();
    await json(`runs/${id}/keep`, { name: "kept" });
    expect((await json<About["models"]>("models")).map((model) => model.id)).toContain("saved:kept");
    const asked = { policy: threshold({ iterations: 2 }), answerTokens: 8 };
    const kept = await sampled({ ...asked, model: "saved:kept" });
    const trained = await sampled({ ...asked, model: `run:${id}` });
    expect(kept.frames.map(({ state }) => state)).toEqual(trained.frames.map(({ state }) => state));
    const again = await ask(`runs/${id}/keep`, { name: "kept" });
    expect(again.status).toBe(409);
  });

  it("is stopped", async () => {
    const { id } = await json<{ id: string }>("runs", { rank: 2, steps: 100_000, seed: 1 });
    await json(`runs/${id}/cancel`, {});
    expect((await runtime.run(id).info()).state).toBe("cancelled");
  });
});
