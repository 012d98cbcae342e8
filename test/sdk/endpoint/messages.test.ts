import { describe, expect, it } from "vitest";
import { StopReason } from "../../../sdk/src/gen/lad/v1/sampling.js";
import { eventsIn, testEndpoint } from "./support.js";

const PATH = "/v1/messages";
const hello = { model: "stub", max_tokens: 20, messages: [{ role: "user", content: "hi" }] };

describe("a message", () => {
  it("has the answer, and the tokens and forwards that it took", async () => {
    const { ask } = await testEndpoint([{ text: "Hello!" }]);
    const system = [{ type: "text", text: "be short" }];
    expect(await (await ask(PATH, { ...hello, system })).json()).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "Hello!" }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: "be short\nhi".length, output_tokens: 6, forwards: 3 },
    });
  });

  it.each([
    [{ stopped: StopReason.LENGTH }, "max_tokens", null],
    [{ stopped: StopReason.STOP, stop: "END" }, "stop_sequence", "END"],
  ])("ended as %j says", async (script, stop_reason, stop_sequence) => {
    const { ask, asked } = await testEndpoint([{ text: "Hel", ...script }]);
    const reply = await (await ask(PATH, { ...hello, stop_sequences: ["END"] })).json();
    expect(reply).toMatchObject({ stop_reason, stop_sequence });
    expect(asked().spec).toMatchObject({ stop: ["END"], answerTokens: 20 });
  });

  it("streams the events that its clients put together", async () => {
    const { ask } = await testEndpoint([{ text: "Hello!", frames: ["He····", "Hello!"] }]);
    const events = await eventsIn<{ type: string; delta?: { text?: string; stop_reason?: string } }>(
      await ask(PATH, { ...hello, policy: "threshold", stream: true }),
    );
    expect(events.map(({ event }) => event)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(events.map(({ data }) => data.delta?.text ?? "").join("")).toBe("Hello!");
    expect(events[5]?.data).toMatchObject({
      delta: { stop_reason: "end_turn" },
      usage: { output_tokens: 6 },
    });
  });

  it("counts the tokens of a chat without answering it", async () => {
    const { ask, transport } = await testEndpoint([{ text: "x" }]);
    const { max_tokens: _, ...chat } = hello;
    expect(await (await ask(`${PATH}/count_tokens`, chat)).json()).toEqual({ input_tokens: 2 });
    expect(transport.calls.filter(({ path }) => path.includes("Sampling"))).toEqual([]);
  });
});

describe("what is refused", () => {
  it.each([
    [{ max_tokens: null }, 400, "invalid_request_error", "max_tokens"],
    [{ tools: [{}] }, 400, "invalid_request_error", "call no tools"],
    [{ thinking: { type: "enabled", budget_tokens: 9 } }, 400, "invalid_request_error", "do not think"],
    [{ model: "stubb" }, 404, "not_found_error", "Did you mean stub?"],
  ])("%j is, in the API's shape", async (fields, status, type, text) => {
    const { ask } = await testEndpoint([{ text: "x" }]);
    const response = await ask(PATH, { ...hello, ...fields });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      type: "error",
      error: { type, message: expect.stringContaining(text) },
    });
  });
});
