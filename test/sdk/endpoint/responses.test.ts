import { expect, it } from "vitest";
import { StopReason } from "../../../sdk/src/gen/lad/v1/sampling.js";
import { eventsIn, testEndpoint } from "./support.js";

const PATH = "/v1/responses";

it("answers a text or a chat, behind its instructions", async () => {
  const { ask } = await testEndpoint([{ text: "Hello!" }]);
  const chat = [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }];
  for (const input of ["hi", chat]) {
    const reply = await (await ask(PATH, { model: "stub", input, instructions: "be short" })).json();
    expect(reply).toMatchObject({
      object: "response",
      status: "completed",
      output: [{ type: "message", content: [{ type: "output_text", text: "Hello!" }] }],
      usage: { input_tokens: "be short\nhi".length, output_tokens: 6, forwards: 3 },
    });
  }
});

it("refuses the log probabilities that it does not tell, and includes nothing else", async () => {
  const { ask } = await testEndpoint([{ text: "Hello!" }]);
  const including = (wanted: string) => ask(PATH, { model: "stub", input: "hi", include: [wanted] });
  expect((await including("reasoning.encrypted_content")).status).toBe(200);
  const refused = await including("message.output_text.logprobs");
  expect(refused.status).toBe(400);
  expect((await refused.json()).error).toMatchObject({ param: "include[0]" });
});

it("is incomplete where the answer was cut", async () => {
  const { ask } = await testEndpoint([{ text: "Hel", stopped: StopReason.LENGTH }]);
  const reply = await (await ask(PATH, { model: "stub", input: "hi", max_output_tokens: 3 })).json();
  expect(reply).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
});

it("streams numbered events, of which the deltas join to the text", async () => {
  const { ask } = await testEndpoint([{ text: "Hello!", frames: ["He····", "Hello!"] }]);
  const asked = { model: "stub", input: "hi", policy: "threshold", stream: true, frames: true };
  const events = await eventsIn<{ type: string; sequence_number: number; delta?: string; text?: string }>(
    await ask(PATH, asked),
  );
  expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, i) => i));
  expect(events.every(({ event, data }) => event === data.type)).toBe(true);
  expect(events.map(({ event }) => event)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "lad.frame",
    "response.output_text.delta",
    "lad.frame",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(events.map(({ data }) => data.delta ?? "").join("")).toBe("Hello!");
});

it("tells a failure in the middle of a stream as its last event", async () => {
  const { ask } = await testEndpoint([{ text: "other", frames: ["He··", "Hell"] }]);
  const asked = { model: "stub", input: "hi", policy: "threshold", stream: true };
  const events = await eventsIn<object>(await ask(PATH, asked));
  expect(events.at(-1)).toMatchObject({
    event: "response.failed",
    data: { response: { status: "failed", error: { code: "server_error" } } },
  });
});

it("refuses what it does not keep, by name", async () => {
  const { ask } = await testEndpoint([{ text: "x" }]);
  const response = await ask(PATH, { model: "stub", input: "hi", previous_response_id: "resp_1" });
  expect(response.status).toBe(400);
  expect((await response.json()).error).toMatchObject({
    param: "previous_response_id",
    message: expect.stringContaining("give the chat so far as input"),
  });
});
