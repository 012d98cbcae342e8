/** A chat at a keyboard: its settings, and what Ctrl-C does in it. */
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { announceWorker, type Runtime } from "lad";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Cli } from "../../../sdk/src/cli/cli.js";
import { runLad } from "../../../sdk/src/cli/program.js";
import { captured, lad } from "../../sdk/cli/support.js";
import { scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const CHAT = ["chat", "--adapter", "none", "--base", "stub", "--answer-tokens", "4"];
const CTRL_C = "\u0003";

let runtime: Runtime;
beforeAll(async () => {
  vi.stubEnv("LAD_HOME", join(scratch, "home"));
  runtime = await startRuntime(join(scratch, "state"));
  await announceWorker(runtime.connection);
});
afterAll(async () => {
  await runtime.close();
  vi.unstubAllEnvs();
});

/** A chat whose input and standard error are terminals. */
function atKeyboard(words: readonly string[]) {
  const { cli, written } = captured();
  const keys = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => keys });
  const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 90, rows: 40 });
  let shown = "";
  screen.on("data", (text: Buffer) => {
    shown += text.toString();
  });
  const ended = runLad(words, { ...cli, stdin: keys, stderr: screen as unknown as Cli["stderr"] });
  const shows = (text: string) => vi.waitFor(() => expect(shown).toContain(text), { timeout: 20_000 });
  return { keys, written, ended, shows };
}

describe("a line with a slash and nothing behind it", () => {
  it.each([
    ["/policy", "/policy is ar. Give one of "],
    ["/iterations", "/iterations is as ar has it. Give a whole number."],
    ["/adapter", "/adapter is none. Give one of none."],
    ["/seed", "/seed is 0. Give a whole number."],
    ["/history", "/history is off. Give on or off."],
    ["/system", "/system is none. Give a text, or none."],
    ["/edit", "/edit makes the last answer anew. Give what stays of it, [6] for six tokens to fill"],
  ])("%s tells what is, and what may be given", async (line, told) => {
    const { err, out } = await lad(CHAT, `${line}\n`);
    expect(err).toContain(told);
    expect(out).toBe("");
  });

  it("tells what was set before it", async () => {
    const set = "/policy remask:sharpness=2\n/iterations 3\n/seed 9\n/history on\n/system Be brief.\n";
    const { err } = await lad(CHAT, `${set}/policy\n/iterations\n/seed\n/history\n/system\n`);
    expect(err).toContain("/policy is remask:sharpness=2,iterations=3. Give one of remask, refine");
    expect(err).toContain("/iterations is 3.");
    expect(err).toContain("/seed is 9.");
    expect(err).toContain("/history is on.");
    expect(err).toContain("/system is Be brief.");
    expect((await lad(CHAT, "/iterations x\n/seed -1\n")).err).toMatch(/whole number\.\n.*whole number\./);
  });
});

describe("Ctrl-C", () => {
  it("stops an answer, and at the prompt leaves with the status of one who left", async () => {
    const long = ["--policy", "remask:iterations=20000,earlyStop=false", "--answer-tokens", "200"];
    const { keys, written, ended, shows } = atKeyboard([...CHAT.slice(0, 5), ...long]);
    await shows("> ");
    keys.write("Say abc.\r");
    await shows("/20000");
    keys.write(CTRL_C);
    await shows("cancelled");
    keys.write("/seed\r");
    await shows("/seed is 0.");
    keys.write(CTRL_C);
    expect(await ended).toBe(130);
    expect(written.out).toBe("");
  });

  it("is no other end than /quit's with another status", async () => {
    const { keys, ended, shows } = atKeyboard(CHAT);
    await shows("> ");
    keys.write("/quit\r");
    expect(await ended).toBe(0);
  });
});
