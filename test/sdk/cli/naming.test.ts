import { Command } from "commander";
import { expect, it } from "vitest";
import { inFlags } from "../../../sdk/src/cli/naming.js";
import { invalidOption, LadError } from "../../../sdk/src/errors.js";

const command = new Command("train")
  .option("--window-tokens <n>", "")
  .option("--rank <n>", "")
  .option("--timeout <seconds>", "");

it("names a flag where a program has an option", () => {
  const error = invalidOption("windowTokens", 0, "it must be at least 1", "Give windowTokens: 64 or more.");
  expect(inFlags(error, command)).toBe(
    "--window-tokens is 0: it must be at least 1. Give --window-tokens 64 or more.",
  );
});

it.each([
  [
    "it must be one of lad, own-draft, or lad(), …, customNoise(). Did you mean lad?",
    "it must be one of lad, own-draft. Did you mean lad?",
  ],
  ["Call it on the base: base.sample({ policy: ar(), … }).", "Give --adapter none."],
  ["Call it on an adapter, or give policy: ar().", "Give --adapter, or give --policy ar."],
  [
    'Give policy: refine(), or a gap: answer: ["…", gap(6)].',
    'Give --policy refine, or a gap: --answer "… [6]".',
  ],
])("has no call of a program: %s", (written, typed) => {
  expect(inFlags(new LadError("invalid-option", written), command)).toBe(typed);
});

it("names one of a single word where it begins the sentence, and nowhere else", () => {
  const error = invalidOption("rank", 0, "the rank of a base is at least 1", "Give a rank.");
  expect(inFlags(error, command)).toBe("--rank is 0: the rank of a base is at least 1. Give a rank.");
  expect(inFlags(invalidOption("ranks", 0, "no", "Give one."), command)).toMatch(/^ranks is 0/);
});

it("knows those of other names, and leaves alone what is no flag of the command", () => {
  const late = new LadError("timeout", "The run took longer than 5 ms.", {
    option: "timeoutMs",
    remedy: "Give a longer timeoutMs (0: none), or ask for less at once.",
  });
  expect(inFlags(late, command)).toBe(
    "The run took longer than 5 ms. Give a longer --timeout, or ask for less at once.",
  );
  const other = invalidOption("answerTokens", 0, "no", "Give answerTokens: 8.");
  expect(inFlags(other, command)).toBe("answerTokens is 0: no. Give answerTokens: 8.");
  expect(
    inFlags(new LadError("already-exists", "There.", { remedy: "Give overwrite: true." }), undefined),
  ).toBe("There. Give --overwrite.");
});
