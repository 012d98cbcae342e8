import { describe, expect, it } from "vitest";
import { StopReason } from "../../../sdk/src/gen/lad/v1/sampling.js";
import { RunsService } from "../../../sdk/src/wire.js";
import { samplingRequests } from "../support/stub-worker.js";
import { contentsIn, eventsIn, testEndpoint } from "./support.js";

const PATH = "/v1/chat/completions";
const hello = { model: "stub", messages: [{ role: "user", content: "hi" }] };

describe("a chat completion", () => {
  it("has the answer, why it ended, and the tokens and forwards that it took", async () => {
    const { ask } = await testEndpoint([{ text: "Hello!" }]);
    const reply = await (await ask(PATH, { ...hello, seed: 5 })).json();
    expect(reply).toMatchObject({
      object: "chat.completion",
      model: "stub",
      system_fingerprint: "r",
      lad: { policy: "ar", seed: 5 },
      choices: [
        { index: 0, message: { role: "assistant", content: "Hello!", refusal: null }, finish_reason: "stop" },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 6, total_tokens: 8, forwards: 3 },
    });
    expect(reply.id).toMatch(/^chatcmpl-/);
  });

  it("says that an answer was cut by its length", async () => {
    const { ask, asked } = await testEndpoint([{ text: "Hel", stopped: StopReason.LENGTH }]);
    const reply = await (await ask(PATH, { ...hello, max_tokens: 3 })).json();
    expect(reply.choices[0]?.finish_reason).toBe("length");
    expect(asked().spec.answerTokens).toBe(3);
  });

  it("answers n times, with a seed of its own each", async () => {
    const { ask, asked } = await testEndpoint([{ text: "one" }, { text: "two" }]);
    const reply = await (await ask(PATH, { ...hello, n: 2, seed: 7 })).json();
    expect(reply.choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, "one"],
      [1, "two"],
    ]);
    expect(asked().canvases.map(({ seed }) => seed)).toEqual([7n, 8n]);
  });

  it("draws another seed each time where none is given", async () => {
    const { ask } = await testEndpoint([{ text: "x" }]);
    const seeds = [];
    for (let i = 0; i < 2; i++) seeds.push((await (await ask(PATH, hello)).json()).lad.seed);
    expect(seeds[0]).not.toBe(seeds[1]);
  });

  it("takes messages in parts, and developers for the system", async () => {
    const { ask } = await testEndpoint([{ text: "x" }]);
    const parts = [
      { type: "text", text: "h" },
      { type: "text", text: "i" },
    ];
    const messages = [
      { role: "developer", content: "be short" },
      { role: "user", content: parts },
    ];
    const reply = await (await ask(PATH, { ...hello, messages })).json();
    expect(reply.usage.prompt_tokens).toBe("be short\nhi".length);
  });

  it("passes on a policy, its iterations, pins and drafts", async () => {
    const { ask, asked } = await testEndpoint([{ text: "It is it." }]);
    const pins = ["It ", { gap: 2 }, " it."];
    await ask(PATH, { ...hello, policy: "threshold", iterations: 4, pins });
    expect(asked().spec.policy.kind).toMatchObject({ $case: "threshold", value: { iterations: 4 } });
    expect(asked().canvases[0]?.begin?.pinned).toEqual(Buffer.from([1, 1, 1, 0, 0, 1, 1, 1, 1, 1]));
    await ask(PATH, { ...hello, policy: { kind: "refine", iterations: 2 }, draft: "a draft" });
    const [draft] = asked().canvases;
    expect(Buffer.from(draft?.begin?.ids.slice(0, 7) ?? []).toString()).toBe("a draft");
  });

  it("is the best of the lengths that a gap was tried with, and counts the forwards of all", async () => {
    const { ask, asked } = await testEndpoint([{ text: "a b" }, { text: "a bc" }]);
    const pins = ["a ", { up_to: 2 }];
    const reply = await (await ask(PATH, { ...hello, policy: "refine", pins })).json();
    expect(asked().canvases).toHaveLength(2);
    expect(["a b", "a bc"]).toContain(reply.choices[0]?.message.content);
    expect(reply.usage.forwards).toBe(6);
  });

  it("has the base's log probabilities where the base wrote, and refuses them elsewhere", async () => {
    const { ask } = await testEndpoint([{ text: "né" }]);
    const reply = await (await ask(PATH, { ...hello, logprobs: true })).json();
    expect(reply.choices[0]?.logprobs.content).toEqual([
      { token: "n", logprob: -1, bytes: [110], top_logprobs: [] },
      { token: "", logprob: -2, bytes: [], top_logprobs: [] },
      { token: "é", logprob: -3, bytes: [195, 169], top_logprobs: [] },
    ]);
    const refused = await ask(PATH, { ...hello, logprobs: true, policy: "remask" });
    expect(refused.status).toBe(400);
    expect((await refused.json()).error).toMatchObject({ param: "logprobs", code: "invalid-option" });
  });

  it("leaves fields alone that change no answer, and nulls", async () => {
    const { ask } = await testEndpoint([{ text: "x" }]);
    const neutral = { user: "me", store: false, tools: [], frequency_penalty: 0, stop: null, top_p: 1 };
    expect((await ask(PATH, { ...hello, ...neutral })).status).toBe(200);
  });
});

describe("a stream", () => {
  const frames = ["H···o!", "He··o!", "Hello!"];

  it("sends what the policy has committed, from the left, and takes nothing back", async () => {
    const { ask } = await testEndpoint([{ text: "Hello!", frames }]);
    const asked = { ...hello, policy: "threshold", stream: true, stream_options: { include_usage: true } };
    const response = await ask(PATH, asked);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const chunks = (await eventsIn(response)).map(({ data }) => data);
    expect(
      chunks.flatMap(({ choices }) =>
        choices.map(({ delta, finish_reason }) => [delta.content, finish_reason]),
      ),
    ).toEqual([
      ["", null],
      ["H", null],
      ["e", null],
      ["llo!", null],
      [undefined, "stop"],
    ]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 6, forwards: 3 } });
  });

  it("ends as OpenAI's do", async () => {
    const { ask } = await testEndpoint([{ text: "x" }]);
    expect(await (await ask(PATH, { ...hello, stream: true })).text()).toMatch(/\n\ndata: \[DONE\]\n\n$/);
  });

  it("sends one delta at the end where the policy may change every token, and asks for no frames", async () => {
    const { ask, asked } = await testEndpoint([{ text: "Hello!", frames }]);
    const contents = await contentsIn(await ask(PATH, { ...hello, policy: "remask", stream: true }));
    expect(contents).toEqual(["", "Hello!"]);
    expect(asked().spec.frames).toBe(false);
  });

  it("sends frames to a client that asks for them", async () => {
    const { ask } = await testEndpoint([{ text: "Hello!", frames }]);
    const asked = { ...hello, policy: "remask", stream: true, frames: true };
    const events = await eventsIn(await ask(PATH, asked));
    const shown = events.flatMap(({ data }) => data.lad?.frame ?? []);
    expect(shown).toHaveLength(3);
    expect(shown[0]).toEqual({
      choice: 0,
      iteration: 0,
      iterations: 3,
      tokens: ["H", "?", "?", "?", "o", "!"],
      masked: [1, 2, 3],
      final: 0,
    });
  });

  it("holds back what may become a stop string, and sends the rest when it does not", async () => {
    const frames = ["one·····", "one E···", "one EN·d", "one EN d"];
    const { ask } = await testEndpoint([{ text: "one EN d", frames }]);
    const asked = { ...hello, policy: "threshold", stream: true, stop: " END" };
    expect(await contentsIn(await ask(PATH, asked))).toEqual(["", "one", " EN d"]);
  });

  it("is cancelled on the worker when its client goes away", async () => {
    const { ask, transport, cancelled } = await testEndpoint([{ text: "x" }], { isEndless: true });
    const leaving = new AbortController();
    const response = await ask(PATH, { ...hello, stream: true }, {}, leaving.signal);
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    await expect.poll(() => cancelled).toHaveLength(1);
    expect(transport.requestsOf(RunsService.cancelRun)).toHaveLength(1);
  });

  it("tells an error in its middle in the API's shape, and its server of it", async () => {
    const endpoint = await testEndpoint([{ text: "other", frames: ["He··", "Hell"] }]);
    const events = await eventsIn(await endpoint.ask(PATH, { ...hello, policy: "threshold", stream: true }));
    expect(events.at(-1)?.data).toMatchObject({ error: { type: "server_error", code: "internal" } });
    expect(String(endpoint.failures)).toContain("does not begin with what was sent");
  });
});

describe("what is refused", () => {
  it.each([
    [{ tools: [{}] }, "tools", "call no tools"],
    [{ n: 0 }, "n", "an integer from 1 to 128"],
    [{ logit_bias: { 5: 1 } }, "logit_bias", "pins"],
    [{ top_logprobs: 2 }, "top_logprobs", "Give logprobs: true beside it."],
    [{ polcy: "ar" }, "polcy", "Did you mean policy?"],
    [{ policy: "tresholt" }, "policy", "threshold"],
    [{ policy: { kind: "threshold", confidense: 1 } }, "policy.confidense", "confidence"],
    [
      { response_format: { type: "json_object" } },
      "response_format.type",
      "json_object: an answer is held to",
    ],
    [{ messages: [{ role: "tool", content: "" }] }, "messages[0].role", "developer"],
    [
      { messages: [{ role: "user", content: [{ type: "image_url" }] }] },
      "messages[0].content[0].type",
      "text",
    ],
    [{ temperature: -1 }, "temperature", "at least 0"],
    [{ pins: ["a", { gap: 0 }] }, "pins[1].gap", "1024"],
    [
      { policy: "refine", pins: Array(4).fill({ up_to: 32 }) },
      "pins",
      "pins is 4 pieces: its gaps have more than 256 combinations",
    ],
    [{ policy: "ar", draft: "x" }, "policy", "draft"],
  ])("%j is, by name", async (fields, param, text) => {
    const { ask, transport } = await testEndpoint([{ text: "x" }]);
    const response = await ask(PATH, { ...hello, ...fields });
    expect(response.status).toBe(400);
    const { error } = await response.json();
    expect(error).toMatchObject({ type: "invalid_request_error", param });
    expect(error.message).toContain(text);
    expect(samplingRequests(transport)).toEqual([]);
  });

  it("is what is no JSON", async () => {
    const { ask } = await testEndpoint([]);
    const response = await ask(PATH, "{");
    expect(response.status).toBe(400);
    expect((await response.json()).error.message).toContain("no JSON object");
  });
});
