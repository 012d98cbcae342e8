/** Where answers end that a real worker gives: before a stop string, when their time is up; and where they begin, behind a prefill. */
import { type Adapter, type Base, llada, type Runtime, refine, remask, speculative } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const question = { messages: "Say abc.", answerTokens: 12, temperature: 1, seed: 2, eosBias: -9 };
const absent = "not in any answer";

let runtime: Runtime;
let base: Base;
let adapter: Adapter;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 4, seed: 7 });
  const training = { data: EXAMPLES, windowTokens: 48, batchSize: 4, steps: 10, warmupSteps: 0 };
  await adapter.train({ ...training, learningRate: 0.1 }).result();
});

afterAll(() => runtime?.close());

describe("an answer with stop strings", () => {
  const policies = [remask({ iterations: 6 }), llada({ iterations: 12, blockTokens: 2 }), speculative()];

  it.each(policies.map((policy) => [policy.kind, policy] as const))(
    "of %s is the one without, up to the first; in company as alone",
    async (_, policy) => {
      const whole = await adapter.sample({ ...question, policy }).result();
      const stop = whole.text.slice(2, 4);
      const given = { ...question, policy, stop: [stop, absent] };
      const answer = await adapter.sample(given).result();
      expect(stop.length).toBe(2);
      expect(answer).toMatchObject({
        text: whole.text.slice(0, whole.text.indexOf(stop)),
        stopped: "stop",
        stop,
      });
      expect(answer.ids).toEqual(whole.ids.slice(0, answer.ids.length));
      const { messages, seed, ...spec } = given;
      const canvases = [seed, 9, 10].map((each) => ({ messages, seed: each }));
      expect((await adapter.sampleMany({ ...spec, canvases }).result())[0]).toEqual(answer);
    },
  );

  it("of ar takes no forward behind the string", async () => {
    const whole = await base.sample({ ...question, policy: "ar" }).result();
    const counts = whole.ids.map((_, i) => i + 1);
    const beginnings = await Promise.all(counts.map((count) => base.decode(whole.ids.slice(0, count))));
    const stop = [...whole.text].find((letter) => letter !== "\uFFFD") ?? absent;
    const answer = await base.sample({ ...question, policy: "ar", stop }).result();
    expect(answer).toMatchObject({ stopped: "stop", stop });
    expect(answer.iterations).toBe(1 + beginnings.findIndex((text) => text.includes(stop)));
    expect(whole.iterations).toBe(12);
  });

  it("of a loop of one's own is the run's", async () => {
    const whole = await adapter.sample({ ...question, policy: refine({ iterations: 1 }) }).result();
    const stop = whole.text.slice(2, 4);
    const { text, ids } = await adapter
      .sample({ ...question, policy: refine({ iterations: 1 }), stop })
      .result();
    const canvas = adapter.canvas({ ...question, iterations: 1, stop });
    await canvas.predict();
    expect(await canvas.answer()).toMatchObject({ text, ids, stopped: "stop", stop });
  });
});

describe("an assistant message last", () => {
  const begun = [
    { role: "user" as const, content: "Say abc." },
    { role: "assistant" as const, content: "ab" },
  ];

  it("is where the answer goes on", async () => {
    const prompt = (await base.render("Say abc.")).ids;
    const ids = [...prompt, ...(await base.encode("ab"))];
    expect(await base.render(begun)).toEqual({ text: `${(await base.render("Say abc.")).text}ab`, ids });
    for (const model of [adapter, base]) {
      const rest = { ...question, messages: undefined, policy: model === base ? ("ar" as const) : refine() };
      const behind = await model.sample({ ...rest, messages: begun }).result();
      expect(behind).toEqual(await model.sample({ ...rest, ids }).result());
    }
  });

  it("alone is refused by name", async () => {
    const alone = adapter.sample({ messages: begun.slice(1) }).result();
    await expect(alone).rejects.toMatchObject({ code: "invalid-option", option: "messages" });
  });
});

describe("a time limit", () => {
  it("ends its run on the worker, and no other", async () => {
    const long = remask({ iterations: 100_000, earlyStop: false });
    const alone = await adapter.sample({ ...question, policy: remask({ iterations: 40 }) }).result();
    const late = adapter.sample({ ...question, policy: long, timeoutMs: 200 });
    const beside = adapter.sample({ ...question, policy: remask({ iterations: 40 }) }).result();
    await expect(late.result()).rejects.toMatchObject({ code: "timeout", option: "timeoutMs", value: "200" });
    const runs = await runtime.runs();
    expect(runs.find(({ id }) => id === late.runId)).toMatchObject({ state: "cancelled" });
    expect(await beside).toEqual(alone);
  });
});
