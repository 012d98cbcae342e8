import { describe, expect, it } from "vitest";
import { serveOpenAI } from "../../../sdk/src/endpoint/index.js";
import { LadError } from "../../../sdk/src/index.js";
import { RunsService } from "../../../sdk/src/wire.js";
import { stubWorker } from "../support/stub-worker.js";
import { TOKEN, testEndpoint } from "./support.js";

const CHAT = "/v1/chat/completions";
const hello = { model: "stub", messages: [{ role: "user", content: "hi" }] };

describe("who may call", () => {
  it.each([CHAT, "/v1/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens"])(
    "%s is only who has the token, of this origin and this host",
    async (path) => {
      const { ask, transport } = await testEndpoint([{ text: "x" }]);
      const before = transport.calls.length;
      expect((await ask(path, hello, { authorization: "" })).status).toBe(401);
      expect((await ask(path, hello, { authorization: "Bearer other" })).status).toBe(401);
      expect((await ask(path, hello, { origin: "http://stranger.example" })).status).toBe(403);
      expect((await ask(path, hello, { host: "stranger.example" })).status).toBe(403);
      expect(transport.calls).toHaveLength(before);
    },
  );

  it("brings it in Anthropic's header too, and is told in Anthropic's shape", async () => {
    const { ask } = await testEndpoint([{ text: "x" }]);
    const headers = { authorization: "", "x-api-key": TOKEN };
    expect((await ask("/v1/messages", { ...hello, max_tokens: 4 }, headers)).status).toBe(200);
    const refused = await ask("/v1/messages", hello, { authorization: "", "x-api-key": "other" });
    expect(await refused.json()).toMatchObject({ type: "error", error: { type: "authentication_error" } });
    const openai = await ask(CHAT, hello, { authorization: "" });
    expect((await openai.json()).error).toMatchObject({
      type: "authentication_error",
      code: "invalid_api_key",
    });
  });
});

describe("overload", () => {
  it("is told with 429 and when to come again, by the endpoint's own limit, which is free again after an answer", async () => {
    const { ask } = await testEndpoint([{ text: "x" }], { maxAnswers: 1, isEndless: true });
    const leaving = new AbortController();
    const first = await ask(CHAT, { ...hello, stream: true }, {}, leaving.signal);
    const refused = await ask(CHAT, hello);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await refused.json()).error).toMatchObject({
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
    });
    leaving.abort();
    await first.text();
    const again = new AbortController();
    const second = await ask(CHAT, { ...hello, stream: true }, {}, again.signal);
    expect(second.status).toBe(200);
    again.abort();
    await second.text();
  });

  it.each([
    ["busy", 429, "rate_limit_error", "rate_limit_error"],
    ["out-of-memory", 503, "server_error", "overloaded_error"],
    ["unavailable", 503, "server_error", "overloaded_error"],
  ] as const)(
    "of the worker (%s) is told with %i in each API's shape",
    async (code, status, openai, anthropic) => {
      const { ask, transport } = await testEndpoint([{ text: "x" }]);
      // biome-ignore lint/correctness/useYield: it fails before its first reply
      transport.onStream(RunsService.sample, async function* () {
        throw new LadError(code, "Too much.", { retryAfterMs: 10 });
      });
      const response = await ask(CHAT, { ...hello, stream: true });
      expect(response.status).toBe(status);
      expect(response.headers.get("retry-after")).toBe("1");
      expect((await response.json()).error.type).toBe(openai);
      const other = await ask("/v1/messages", { ...hello, max_tokens: 4 });
      expect((await other.json()).error.type).toBe(anthropic);
    },
  );

  it("counts the answers of a request, and refuses more than it ever writes by name", async () => {
    const { ask } = await testEndpoint([{ text: "x" }], { maxAnswers: 4, isEndless: true });
    const leaving = new AbortController();
    const first = await ask(CHAT, { ...hello, n: 3, stream: true }, {}, leaving.signal);
    expect((await ask(CHAT, { ...hello, n: 2 })).status).toBe(429);
    const refused = await ask("/v1/completions", { model: "stub", prompt: ["a", "b", "c"], n: 2 });
    expect(refused.status).toBe(400);
    expect((await refused.json()).error).toMatchObject({ param: "n" });
    leaving.abort();
    await first.text();
  });

  it("leaves no request counted that could not begin", async () => {
    const { ask } = await testEndpoint([{ text: "x" }], { maxAnswers: 1 });
    expect((await ask(CHAT, { ...hello, model: "none" })).status).toBe(404);
    expect((await ask(CHAT, { ...hello, policy: "speculative" })).status).toBe(400);
    expect((await ask(CHAT, hello)).status).toBe(200);
    expect((await ask(CHAT, hello)).status).toBe(200);
  });
});

describe("clients that leave", () => {
  it.each(["before they read anything", "in the middle"])("%s are counted no more", async (when) => {
    const { ask, cancelled } = await testEndpoint([{ text: "x" }], { maxAnswers: 64, isEndless: true });
    const leaving = new AbortController();
    const response = await ask(CHAT, { ...hello, n: 64, stream: true }, {}, leaving.signal);
    if (when === "in the middle") await response.body?.getReader().read();
    leaving.abort();
    await response.body?.cancel().catch(() => {}); // as a server's socket does that has nobody to write to
    const another = async () => {
      const again = new AbortController();
      const { status } = await ask(CHAT, { ...hello, stream: true }, {}, again.signal);
      again.abort();
      return status;
    };
    await expect.poll(another).toBe(200);
    await expect.poll(another).toBe(200);
    await expect.poll(() => cancelled.length).toBeGreaterThan(1);
  });
});

describe("serving", () => {
  it("listens on loopback with the token that it is given, until it is closed", async () => {
    const { runtime } = await stubWorker();
    const endpoint = await serveOpenAI(runtime, { token: TOKEN, bases: ["stub"] });
    expect(endpoint).toMatchObject({ url: `http://127.0.0.1:${endpoint.port}/v1`, token: TOKEN });
    const response = await fetch(`${endpoint.url}/nowhere`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(await response.json()).toMatchObject({ error: { code: "not-found" } });
    await endpoint.close();
    await expect(fetch(endpoint.url)).rejects.toThrow();
  });

  it("ends the sampling of whoever is still answered when it closes", async () => {
    const closing = new AbortController();
    const { ask, cancelled } = await testEndpoint([{ text: "x" }], {
      isEndless: true,
      closing: closing.signal,
    });
    const answered = await ask(CHAT, { ...hello, stream: true });
    closing.abort();
    expect(await answered.text()).toContain("cancelled");
    expect(cancelled).toHaveLength(1);
    const late = await ask(CHAT, hello);
    expect(late.status).toBe(503);
  });

  it.each([
    [{ port: 70_000 }, "port is 70000"],
    [{ maxAnswers: 0 }, "maxAnswers is 0"],
    [{ allowOrigins: ["example.com"] }, "allowOrigins is example.com"],
    [{ aliases: { a: "b", b: "stub" } }, "it names an alias"],
    [{ token: "a b" }, "token"],
  ])("refuses %j before it listens", async (options, text) => {
    const { runtime } = await stubWorker();
    await expect(serveOpenAI(runtime, options)).rejects.toThrow(text);
  });
});
