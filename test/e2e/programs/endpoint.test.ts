/** The endpoint of `lad serve --openai`, by the clients that people have. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { generateObject, generateText, jsonSchema, streamText } from "ai";
import { execa } from "execa";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { requireRuntime } from "../../../sdk/src/setup/locate.js";
import { type ServedEndpoint, serveEndpoint } from "../support/endpoint.js";
import { scratchFolder } from "../support/stub.js";

const root = join(import.meta.dirname, "../../..");
const home = join(scratchFolder(), "home");
mkdirSync(home);
let served: ServedEndpoint;
let openai: OpenAI;
beforeAll(async () => {
  served = await serveEndpoint(home, ["--alias", "gpt=stub:mine", "--alias", "chat=stub:mine"]);
  openai = new OpenAI({ baseURL: served.url, apiKey: served.token, maxRetries: 0 });
});
afterAll(async () => expect(await served.stop()).toBe(130));

const messages = [{ role: "user" as const, content: "Name it." }];
const schema = {
  type: "object",
  properties: { kind: { const: "city" }, name: { type: "string", "x-tokens": 6 } },
  required: ["kind", "name"],
  additionalProperties: false,
};

/** A body with fields that OpenAI's types do not know. */
function asked<Fields extends object>(fields: Fields) {
  return { model: "gpt", messages, seed: 3, ...fields };
}

async function joined(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<string> {
  let text = "";
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  return text;
}

describe("npm's openai", () => {
  it("lists the models", async () => {
    const ids = (await openai.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(["gpt", "chat", "stub", "stub:mine"]);
  });

  it.each([
    { policy: "remask", iterations: 4 },
    { policy: { kind: "remask", retention: "locked" } },
    { policy: "refine", iterations: 3 },
    { policy: "llada", iterations: 8 },
    { policy: "threshold" },
    { policy: "editing", iterations: 4 },
    { policy: "revoking", iterations: 4 },
    { policy: "entropy-bound", iterations: 4 },
    { policy: "speculative" },
    { policy: "ar" },
    { policy: "threshold", pins: ["It is ", { gap: 6 }, "."] },
    { policy: "speculative", stop: "pp" },
  ] as const)("gets of %j what the SDK samples, whole and as deltas that join to it", async (how) => {
    const { policy, iterations, pins, stop } = {
      iterations: undefined,
      pins: undefined,
      stop: undefined,
      ...how,
    };
    const kind = typeof policy === "string" ? { kind: policy } : policy;
    const model = policy === "ar" ? "stub" : "gpt";
    const answer = await (policy === "ar" ? served.adapter.base : served.adapter)
      .sample({
        messages,
        seed: 3,
        policy: { ...kind, ...(iterations && { iterations }) } as never,
        stop,
        ...(pins === undefined
          ? { answerTokens: 16 }
          : { answer: ["It is ", { kind: "gap", lengths: [6] }, "."] }),
      })
      .result();
    const whole = await openai.chat.completions.create(asked({ model, max_tokens: 16, ...how }) as never);
    const { choices, usage } = whole as OpenAI.ChatCompletion;
    expect(choices[0]?.message.content).toBe(answer.text);
    expect(choices[0]?.finish_reason).toBe(answer.stopped === "length" ? "length" : "stop");
    expect(usage).toMatchObject({ completion_tokens: answer.ids.length, forwards: answer.iterations });
    const stream = await openai.chat.completions.create(
      asked({ model, max_tokens: 16, stream: true, ...how }) as never,
    );
    expect(await joined(stream as never)).toBe(answer.text);
  });

  it("gets each of many concurrent answers as it would be alone", async () => {
    const ask = async (seed: number) => {
      const body = asked({ seed, temperature: 1, policy: "threshold", max_tokens: 12, stream: true });
      return joined((await openai.chat.completions.create(body as never)) as never);
    };
    const seeds = Array.from({ length: 12 }, (_, i) => i);
    const alone = [];
    for (const seed of seeds) alone.push(await ask(seed));
    expect(await Promise.all(seeds.map(ask))).toEqual(alone);
    expect(new Set(alone).size).toBeGreaterThan(6);
  });

  it("gets a hundred streams at once whole", async () => {
    const ask = async (question: number) => {
      const asking = [{ role: "user" as const, content: `Name number ${question}.` }];
      const body = { model: "stub", messages: asking, max_tokens: 16, stream: true as const };
      const finished: unknown[] = [];
      let text = "";
      for await (const { choices } of await openai.chat.completions.create(body)) {
        text += choices[0]?.delta.content ?? "";
        if (choices[0]?.finish_reason) finished.push(choices[0].finish_reason);
      }
      expect(finished).toHaveLength(1);
      return text;
    };
    const questions = Array.from({ length: 100 }, (_, i) => i);
    const together = await Promise.all(questions.map(ask));
    expect(together.every((text) => text !== "")).toBe(true);
    for (const question of [0, 50, 99]) expect(together[question]).toBe(await ask(question));
  });

  it("gets the base's log probabilities", async () => {
    const { choices } = await openai.chat.completions.create({
      model: "stub",
      messages,
      max_tokens: 4,
      logprobs: true,
      top_logprobs: 3,
    });
    const content = choices[0]?.logprobs?.content ?? [];
    expect(content).toHaveLength(4);
    for (const { token, logprob, top_logprobs } of content) {
      expect(logprob).toBeLessThan(0);
      expect(top_logprobs).toHaveLength(3);
      const [written, second, third] = top_logprobs.map((one) => one.logprob);
      expect(top_logprobs[0]?.token).toBe(token); // it was written greedily
      expect(written).toBeCloseTo(logprob, 4);
      expect(written).toBeGreaterThanOrEqual(second ?? 0);
      expect(second).toBeGreaterThanOrEqual(third ?? 0);
    }
    const written = await openai.completions.create({
      model: "stub",
      prompt: "Name",
      max_tokens: 2,
      logprobs: 2,
    });
    expect(written.choices[0]?.logprobs?.top_logprobs?.map((one) => Object.keys(one).length)).toEqual([2, 2]);
  });

  it("parses an answer of a schema", async () => {
    const format = { type: "json_schema" as const, json_schema: { name: "city", schema, strict: true } };
    const { choices } = await openai.chat.completions.parse({
      model: "gpt",
      messages,
      response_format: format,
    });
    expect(choices[0]?.message.parsed).toEqual({ kind: "city", name: expect.any(String) });
  });

  it("reads responses whole and as a stream", async () => {
    const body = { model: "gpt", input: "Name it.", max_output_tokens: 5, seed: 3 };
    const whole = await openai.responses.create(body);
    const stream = openai.responses.stream(body);
    let text = "";
    stream.on("response.output_text.delta", ({ delta }) => {
      text += delta;
    });
    const final = await stream.finalResponse();
    expect([text, final.output_text]).toEqual([whole.output_text, whole.output_text]);
    expect(final.status).toBe(whole.status);
  });

  it("throws its own errors", async () => {
    const other = new OpenAI({ baseURL: served.url, apiKey: "other", maxRetries: 0 });
    await expect(other.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(openai.chat.completions.create({ model: "gtp", messages })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
    const refused = openai.chat.completions.create(asked({ logit_bias: { 5: 1 } }));
    await expect(refused).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });

  it("ends the sampling of a request that it gives up", async () => {
    const before = new Set((await served.runtime.runs()).map(({ id }) => id));
    const body = asked({
      policy: { kind: "refine", iterations: 100_000, earlyStop: false },
      frames: true,
      stream: true,
    });
    const stream = (await openai.chat.completions.create(body as never)) as unknown as AsyncIterable<object>;
    for await (const _ of stream) break;
    await expect
      .poll(async () => {
        const runs = await served.runtime.runs();
        return runs.filter(({ id }) => !before.has(id)).map(({ state }) => state);
      })
      .toEqual(["cancelled"]);
  });
});

it("PyPI's openai gets the same, with the endpoint's own fields", async () => {
  const script = join(import.meta.dirname, "../support/openai_client.py");
  const { stdout } = await execa(requireRuntime().python, [script, served.url, served.token]);
  const told = JSON.parse(stdout) as Record<string, unknown>;
  expect(told).toMatchObject({
    models: ["gpt", "chat", "stub", "stub:mine"],
    streamed: told.whole,
    streamedForwards: told.forwards,
    frames: told.forwards,
    status: "completed",
    response: expect.stringMatching(/^It is .*\.$/s),
    responseStreamed: told.response,
    responseFinal: told.response,
    completionLogprobs: 4,
    errors: [
      ["AuthenticationError", "invalid_api_key"],
      ["NotFoundError", "model_not_found"],
    ],
  });
});

describe("Anthropic's SDK", () => {
  const anthropic = () => new Anthropic({ baseURL: served.origin, apiKey: served.token, maxRetries: 0 });
  const body = { model: "gpt", max_tokens: 8, messages, seed: 3, policy: "threshold" };

  it("gets a message, whole and as a stream", async () => {
    const whole = await anthropic().messages.create(body);
    const [block] = whole.content;
    const stream = anthropic().messages.stream(body);
    const final = await stream.finalMessage();
    expect(final.content).toEqual(whole.content);
    expect(block).toMatchObject({ type: "text", text: expect.any(String) });
    expect(final.stop_reason).toBe(whole.stop_reason);
    expect(final.usage).toMatchObject({
      input_tokens: whole.usage.input_tokens,
      output_tokens: whole.usage.output_tokens,
    });
  });

  it("goes on behind a message of the assistant, lists models, and counts tokens", async () => {
    const begun = [...messages, { role: "assistant" as const, content: "It is " }];
    expect((await anthropic().messages.create({ ...body, messages: begun })).role).toBe("assistant");
    const ids = [];
    for await (const { id } of anthropic().models.list()) ids.push(id);
    expect(ids).toEqual(["gpt", "chat", "stub", "stub:mine"]);
    const counted = await anthropic().messages.countTokens({ model: "gpt", messages });
    expect(counted.input_tokens).toBe((await anthropic().messages.create(body)).usage.input_tokens);
  });

  it("throws its own errors", async () => {
    const other = new Anthropic({ baseURL: served.origin, apiKey: "other", maxRetries: 0 });
    await expect(other.messages.create(body)).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    const tools = [{ name: "t", input_schema: { type: "object" as const } }];
    await expect(anthropic().messages.create({ ...body, tools })).rejects.toBeInstanceOf(
      Anthropic.BadRequestError,
    );
    await expect(anthropic().messages.create({ ...body, model: "gtp" })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    );
  });
});

describe("the AI SDK", () => {
  const model = () =>
    createOpenAICompatible({
      name: "lad",
      baseURL: served.url,
      apiKey: served.token,
      supportsStructuredOutputs: true,
    })("gpt");
  const how = {
    prompt: "Name it.",
    seed: 3,
    maxRetries: 0,
    providerOptions: { lad: { policy: "threshold" } },
  };

  it("generates a text, and streams the same", async () => {
    const { text, usage } = await generateText({ model: model(), ...how });
    expect(usage.inputTokens).toBeGreaterThan(0);
    const streamed = streamText({ model: model(), ...how });
    let all = "";
    for await (const delta of streamed.textStream) all += delta;
    expect(all).toBe(text);
  });

  it("generates an object of a schema", async () => {
    const { object } = await generateObject({ model: model(), ...how, schema: jsonSchema(schema as never) });
    expect(object).toEqual({ kind: "city", name: expect.any(String) });
  });
});

describe("curl", () => {
  const curl = (
    path: string,
    body: object,
    headers: readonly string[] = [`Authorization: Bearer ${served.token}`],
  ) =>
    execa("curl", [
      "--silent",
      "--no-buffer",
      ...headers.flatMap((header) => ["--header", header]),
      "--json",
      JSON.stringify(body),
      `${served.url}${path}`,
    ]);

  it("reads a stream line by line", async () => {
    const { stdout } = await curl(
      "/chat/completions",
      asked({ stream: true, policy: "threshold", max_tokens: 8 }),
    );
    const lines = stdout.split("\n").filter((line) => line !== "");
    expect(lines.every((line) => line.startsWith("data: "))).toBe(true);
    expect(lines.at(-1)).toBe("data: [DONE]");
  });

  it("is told in words what is wrong", async () => {
    const { stdout } = await curl("/chat/completions", asked({ polcy: "ar" }));
    expect(JSON.parse(stdout)).toMatchObject({ error: { param: "polcy", message: /Did you mean policy\?/ } });
    const stranger = await curl("/chat/completions", asked({}), []);
    expect(JSON.parse(stranger.stdout)).toMatchObject({ error: { type: "authentication_error" } });
  });
});

describe("docs/endpoint.md", () => {
  const text = readFileSync(join(root, "docs/endpoint.md"), "utf8");
  const programs = [...text.matchAll(/```(ts|python|sh)\n([\s\S]*?)```/g)]
    .map(([, kind = "", code = ""]) => ({
      kind,
      code,
      about: code.split("\n").find((line) => /^import|^from|^curl/.test(line)) ?? code,
    }))
    .filter(({ code }) => !code.startsWith("lad serve")); // what the others speak to

  it("has a program for each client", () => {
    expect(programs.map(({ kind }) => kind)).toEqual(["ts", "python", "ts", "ts", "sh", "ts"]);
  });

  it.each(programs)("runs as it stands: $about", async ({ kind, code }) => {
    const folder = join(root, ".lad"); // where a program finds the packages of this checkout
    mkdirSync(folder, { recursive: true });
    const own = mkdtempSync(join(folder, "endpoint-"));
    onTestFinished(() => rmSync(own, { recursive: true }));
    const file = join(own, `program.${{ ts: "mts", python: "py" }[kind] ?? kind}`);
    writeFileSync(file, code);
    const env = {
      OPENAI_BASE_URL: served.url,
      OPENAI_API_KEY: served.token,
      ANTHROPIC_BASE_URL: served.origin,
      ANTHROPIC_API_KEY: served.token,
      OMP_NUM_THREADS: "1",
    };
    const runners: Record<string, readonly [string, ...string[]]> = {
      ts: [process.execPath, "--import", "tsx", file],
      python: [requireRuntime().python, file],
      sh: ["sh", file],
    };
    const [command, ...words] = runners[kind] ?? expect.unreachable();
    const { stdout } = await execa(command, words, { cwd: root, env });
    expect(stdout).not.toBe("");
    expect(stdout).not.toContain('"error"');
  });
});
