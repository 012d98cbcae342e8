import { expect, it } from "vitest";
import { eventsIn, testEndpoint } from "./support.js";

const PATH = "/v1/completions";

it("goes on with a text, with token ids, or with several of either, n times each", async () => {
  const { ask } = await testEndpoint([{ text: "a" }, { text: "b" }, { text: "c" }, { text: "d" }]);
  for (const [prompt, tokens] of [
    ["Once", 4],
    [[79, 110], 2],
    [["Once", "upon"], 8],
    [[[79], [110]], 2],
  ] as const) {
    const count = Array.isArray(prompt) && typeof prompt[0] !== "number" ? 4 : 2;
    const reply = await (await ask(PATH, { model: "stub", prompt, n: 2 })).json();
    expect(reply.choices.map(({ index, text }) => [index, text])).toEqual(
      ["a", "b", "c", "d"].slice(0, count).map((text, index) => [index, text]),
    );
    expect(reply.usage).toMatchObject({ prompt_tokens: tokens, completion_tokens: count });
  }
});

it("tells the base's log probabilities, with the place of each token", async () => {
  const { ask } = await testEndpoint([{ text: "abc" }]);
  const reply = await (await ask(PATH, { model: "stub", prompt: "x", logprobs: 0 })).json();
  expect(reply.choices[0]?.logprobs).toEqual({
    tokens: ["a", "b", "c"],
    token_logprobs: [-1, -2, -3],
    top_logprobs: null,
    text_offset: [0, 1, 2],
  });
});

it("streams each prompt's text under its own number", async () => {
  const { ask } = await testEndpoint([{ text: "one" }, { text: "two" }]);
  const asked = { model: "stub", prompt: ["x", "y"], stream: true };
  const events = await eventsIn<{ choices: { index: number; text: string; finish_reason: string | null }[] }>(
    await ask(PATH, asked),
  );
  const told = events.flatMap(({ data }) => data.choices.map((c) => [c.index, c.text, c.finish_reason]));
  expect(told).toEqual([
    [0, "one", null],
    [0, "", "stop"],
    [1, "two", null],
    [1, "", "stop"],
  ]);
});

it.each([
  [{ suffix: "end" }, "suffix", "pins"],
  [{ echo: true }, "echo", "known to you"],
  [{ n: 2, best_of: 4 }, "best_of", "n is 2, and all answers are returned. Give n."],
  [{ logprobs: 6 }, "logprobs", "from 0 to 5"],
  [{ prompt: [] }, "prompt", "a text, token ids"],
])("refuses %j by name", async (fields, param, text) => {
  const { ask } = await testEndpoint([{ text: "x" }]);
  const response = await ask(PATH, { model: "stub", prompt: "x", ...fields });
  expect(response.status).toBe(400);
  const { error } = await response.json();
  expect(error).toMatchObject({ param });
  expect(error.message).toContain(text);
});
