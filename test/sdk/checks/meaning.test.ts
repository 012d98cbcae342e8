import { expect, it } from "vitest";
import { meant } from "../../../sdk/src/checks/meaning.js";

const options = ["messages", "ids", "answerTokens", "temperature", "seed"];

it.each([
  ["prompt", "messages"],
  ["question", "messages"],
  ["max_tokens", "answerTokens"],
  ["max-new-tokens", "answerTokens"],
  ["MaxLength", "answerTokens"],
  ["input_ids", "ids"],
  ["answer_tokens", "answerTokens"],
])("%s means %s", (word, option) => {
  expect(meant(word, options)).toBe(option);
});

it("takes what stands first for the word of those that are known", () => {
  expect(meant("question", ["output", "messages", "instruction"])).toBe("instruction");
  expect(meant("answer", ["messages", "reference"])).toBe("reference");
});

it.each(["rank", "", "colour"])("%j means none of them", (word) => {
  expect(meant(word, options)).toBeUndefined();
});
