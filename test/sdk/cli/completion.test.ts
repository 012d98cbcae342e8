import { execa } from "execa";
import { expect, it } from "vitest";
import { COMMANDS } from "../../../sdk/src/cli/program.js";
import { lad } from "./support.js";

/** What bash completes of the words so far, the last of which is not finished. */
async function completedBy(script: string, words: readonly string[]): Promise<string[]> {
  const line = words.map((word) => `'${word}'`).join(" ");
  const asks = `COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _lad; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa("bash", ["--norc", "-c", `${script}\n${asks}`]);
  return stdout.split("\n").filter(Boolean);
}

it("completes commands, those under them, and flags in bash", async () => {
  const { out } = await lad(["completion", "bash"]);
  expect(await completedBy(out, ["lad", ""])).toEqual(Object.keys(COMMANDS));
  expect(await completedBy(out, ["lad", "s"])).toEqual(["setup", "sweep", "sample", "serve"].sort(byOrder));
  expect(await completedBy(out, ["lad", "adapters", "ex"])).toEqual(["export"]);
  expect(await completedBy(out, ["lad", "train", "--win"])).toEqual(["--window-tokens"]);
  expect(await completedBy(out, ["lad", "runs", "list", "--al"])).toEqual(["--all"]);
});

it.each(["zsh", "fish"])("has every command and flag for %s too", async (shell) => {
  const { out } = await lad(["completion", shell]);
  for (const name of Object.keys(COMMANDS)) expect(out).toContain(name);
  expect(out).toContain("window-tokens");
  for (const line of out.split("\n")) expect(line.split("'").length % 2, line).toBe(1); // quotes are closed
});

it("knows which shells there are", async () => {
  const { status, err } = await lad(["completion", "csh"]);
  expect(status).toBe(2);
  expect(err).toContain("Give one of bash, zsh, fish.");
});

function byOrder(a: string, b: string): number {
  const names = Object.keys(COMMANDS);
  return names.indexOf(a) - names.indexOf(b);
}
