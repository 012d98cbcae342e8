/** The help of every command, and of those under it. */
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { COMMANDS, runLad } from "../../../sdk/src/cli/program.js";
import { captured } from "./support.js";

/** Every command that does something, by the words that ask for it. */
const leaves: readonly (readonly [string, Command])[] = (
  await Promise.all(
    Object.entries(COMMANDS).map(async ([name, { load }]) => {
      const command = (await load())(captured().cli);
      if (command.commands.length === 0) return [[name, command] as const];
      return command.commands.map((inner) => [`${name} ${inner.name()}`, inner] as const);
    }),
  )
).flat();

async function helpOf(words: readonly string[], columns?: number): Promise<string> {
  const { cli, written } = captured();
  const stdout = { ...cli.stdout, ...(columns === undefined ? {} : { columns }) };
  expect(await runLad([...words, "--help"], { ...cli, stdout })).toBe(0);
  return written.out;
}

describe("the help", () => {
  it("is of more than the commands of the first screen", () => {
    expect(leaves.length).toBeGreaterThan(Object.keys(COMMANDS).length + 12);
  });

  it.each(leaves)("of %s has an example that begins so", async (name) => {
    expect(await helpOf(name.split(" "))).toMatch(
      new RegExp(`Examples?:\\n(?: {2,}.*\\n)* {2}.*lad ${name}`),
    );
  });

  it.each(leaves)("of %s fits a terminal of sixty columns", async (name) => {
    const lines = (await helpOf(name.split(" "), 60)).split("\n");
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
  });

  it.each([[[]], ...Object.keys(COMMANDS).map((name) => [[name]])])("of %j does too", async (words) => {
    const lines = (await helpOf(words, 60)).split("\n");
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
  });

  it("says what this user types for lad", async () => {
    expect(await helpOf(["train"])).toContain("For lad, type: npm run lad --");
  });
});

describe("--json", () => {
  it.each(leaves)("is a flag of %s, unless it prints a script", (name, command) => {
    const has = command.options.some(({ long }) => long === "--json");
    expect(has).toBe(name !== "completion");
  });
});
