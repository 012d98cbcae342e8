import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { folded, hanging } from "../../../sdk/src/cli/folding.js";

describe("a help text in few columns", () => {
  it("stays as it is where it fits", () => {
    expect(folded("Examples:\n  lad train", 40)).toBe("Examples:\n  lad train");
  });

  it("has a command's explanation below it", () => {
    expect(folded("  lad train my-data     a minute or two on a laptop", 30)).toBe(
      "  lad train my-data\n      a minute or two on a\n      laptop",
    );
  });

  it("keeps together what stands in backticks, which is there to be copied", () => {
    expect(folded("It is paused. `lad runs resume run-3f2a` goes on.", 30)).toBe(
      "It is paused.\n`lad runs resume run-3f2a`\ngoes on.",
    );
    expect(folded("a ` alone is a sign", 9)).toBe("a ` alone\nis a sign");
  });

  it("counts two columns for a character that is as wide", () => {
    expect(folded("犬と猫 犬と猫", 12)).toBe("犬と猫\n犬と猫");
  });

  it("goes on below the words that follow a sign", () => {
    expect(hanging("✓ home  ", "a folder with some space", 20)).toBe(
      "✓ home  a folder\n        with some\n        space",
    );
  });

  it("keeps the indent of sentences", () => {
    expect(folded("one two three four", 9)).toBe("one two\nthree\nfour");
    expect(folded("    one two three", 11)).toBe("    one two\n    three");
  });

  it("leaves a word that is longer than the terminal whole", () => {
    expect(folded("unix:///path/of/a/socket is it", 10)).toBe("unix:///path/of/a/socket\nis it");
  });

  it("cuts a command as a shell reads it, never within quotes", async () => {
    const command = "  lad sample 'a long question in quotes' --answer \"The [6] is [..4].\" --seed 7";
    const text = folded(command, 40);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(40);
    const words = async (line: string) =>
      (await execa("bash", ["-c", `lad() { printf '%s\\n' "$@"; }\n${line}`])).stdout;
    expect(await words(text)).toBe(await words(command));
    expect((await words(text)).split("\n")).toHaveLength(6);
  });
});
