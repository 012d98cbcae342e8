import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LadError } from "lad";
import { describe, expect, it } from "vitest";
import { print } from "../../../sdk/src/cli/cli.js";
import { COMMANDS, statusOf } from "../../../sdk/src/cli/program.js";
import { captured, lad } from "./support.js";

const root = join(import.meta.dirname, "../../..");

describe("the help", () => {
  it("names every command with a line", async () => {
    const { status, out } = await lad(["--help"]);
    expect(status).toBe(0);
    for (const [name, { about }] of Object.entries(COMMANDS)) {
      expect(out).toContain(`  ${name}`);
      expect(out.replace(/\s+/g, " ")).toContain(about);
    }
  });

  it.each(Object.keys(COMMANDS))("of %s has an example", async (name) => {
    const { status, out } = await lad([name, "--help"]);
    expect(status).toBe(0);
    expect(out).toMatch(new RegExp(`Examples?:\\n {2}.*lad ${name}`));
    expect((await lad(["help", name])).out).toBe(out);
  });

  it("fits eighty columns where the terminal does not say", async () => {
    const { out } = await lad(["train", "--help"]);
    const options = out.slice(out.indexOf("Options:"), out.indexOf("Examples:"));
    expect(Math.max(...options.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("is told again in the documentation, command by command", () => {
    const text = readFileSync(join(root, "docs/command-line.md"), "utf8");
    for (const name of Object.keys(COMMANDS)) expect(text).toContain(`| \`lad ${name}`);
  });

  it("has the package's version", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect((await lad(["--version"])).out.trim()).toBe(version);
  });
});

describe("a mistake in the command", () => {
  it("names the nearest command", async () => {
    const { status, err } = await lad(["trian"]);
    expect(status).toBe(2);
    expect(err).toContain("(Did you mean train?)");
  });

  it("names the nearest flag", async () => {
    const { status, err } = await lad(["sample", "--polcy", "remask", "x"]);
    expect(status).toBe(2);
    expect(err).toContain("(Did you mean --policy?)");
  });

  it.each([
    [["train", "--steps", "many"], "It must be a whole number."],
    [["train", "--noise", "cover:x"], "x is no key=value."],
    [["sample", "x", "--answer", "The [six]."], "[six] is no gap"],
    [["sweep", "--axis", "training.steps"], "It must be path=value,value."],
    [["reproduce", "--ranks", "2,abc"], "It must be a whole number."],
    [["sample", "x", "--timeout", "-1"], "It must be a number of seconds above 0."],
    [["train", "x.csv", "--columns", "question"], "It must be field=column,field=column."],
    [["train", "x.jsonl", "--patience", "3"], "Give --held-out 0.05, or a folder with validation.jsonl."],
    [
      ["train", "--device", "gpu"],
      "Did you mean cuda? Give one of cpu, cuda, container-cpu, container-cuda.",
    ],
    [["serve", "--device", "cudda"], "Did you mean cuda?"],
    [["setup", "--with", "smollm"], "Did you mean smollm2? Give one or more of core, data, smollm2"],
    [["completion", "bsh"], "Did you mean bash? Give one of bash, zsh, fish."],
    [["adapters", "merge", "mine", "there", "--dtype", "bfloat"], "Did you mean bfloat16?"],
    [["train", "x.jsonl", "--held-out", "1"], "It must be a number above 0 and below 1."],
    [["sample", "x", "--adapter", "none", "--policy", "remsk"], "Did you mean remask?"],
    [["sample", "x", "--adapter", "none", "--answer-tokens", "0"], "--answer-tokens is 0: it must be"],
    [["chat", "--adapter", "none", "--policy", "remask:iterations=0"], "policy.iterations is 0"],
    [["evaluate", "--adapter", "none", "--top-p", "2"], "--top-p is 2: it must be"],
    [["train", "--name", "none"], "--name is none: that stands for no adapter."],
    [["train", "--name", "a b"], "--name is a b: it must be 1 to 64 letters"],
  ])("%j is told before a worker starts", async (words, why) => {
    const { status, err } = await lad(words);
    expect(status).toBe(2);
    expect(err).toContain(why);
  });

  it.each([
    ["runs resme x", "resume"],
    ["runs lst", "list"],
    ["adapters exprt a b", "export"],
    ["checkpoints kep x --json", "keep"],
    ["data inspct x", "inspect"],
  ])("of %s names the nearest command below it, before a worker starts", async (typed, meant) => {
    const { status, err } = await lad(typed.split(" "));
    expect(status).toBe(2);
    expect(err).toContain(`Did you mean ${meant}?`);
  });

  it("names all commands below one where none is near", async () => {
    const { status, err } = await lad(["checkpoints", "elephant"]);
    expect({ status, err }).toEqual({
      status: 2,
      err: expect.stringContaining("unknown command 'elephant'\n(There are list, keep, delete.)"),
    });
  });

  it.each([
    [["train", "--steps", "abc"], { option: "--steps", value: "abc" }, "It must be a whole number."],
    [["sample", "x", "--polcy", "y"], { option: "--polcy" }, "Did you mean --policy?"],
    [["trian"], {}, "Did you mean train?"],
    [["runs", "resme"], {}, "unknown command 'resme'. Did you mean resume?"],
    [["pull"], {}, "missing required argument 'base'."],
    [["data"], { option: "--json" }, "unknown option '--json'."],
  ])("%j with --json is told as JSON, and as nothing else", async (words, parts, why) => {
    const { status, out, err } = await lad([...words, "--json"]);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    const { error } = JSON.parse(err) as { error: { message: string } };
    expect(error).toMatchObject({ code: "invalid-option", ...parts });
    expect(error.message).toContain(why);
  });

  it("is told as JSON where the result would be", async () => {
    const { status, err } = await lad(["train", "--json", "--base", "owner/model"]);
    expect(status).toBe(2);
    expect(JSON.parse(err)).toMatchObject({ error: { code: "invalid-option", option: "data" } });
  });
});

describe("the exit status", () => {
  it.each([
    ["invalid-option", undefined, 2],
    ["not-found", undefined, 1],
    ["out-of-memory", undefined, 1],
    ["setup-required", undefined, 3],
    ["worker-died", undefined, 3],
    ["unavailable", undefined, 3],
    ["unavailable", "idleTimeoutMs", 1],
    ["unavailable", "repo", 1],
    ["timeout", "startTimeoutMs", 3],
    ["timeout", "timeoutMs", 1],
    ["cancelled", undefined, 1],
  ] as const)("of %s (%s) is %d", (code, option, status) => {
    expect(statusOf(new LadError(code, "It failed.", { option }))).toBe(status);
  });

  it("is 2 for a worker whose token is not given", async () => {
    const { status, err } = await lad(["runs", "list", "--worker", "unix:///nowhere/worker.sock"]);
    expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining("Set LAD_TOKEN") });
  });
});

describe("a line on a terminal", () => {
  it("does not steer it, whatever names and answers have in them", () => {
    const { cli, written } = captured();
    const evil = "a\u001b]0;title\u0007\u001b[2Jb\n\tc";
    print({ ...cli, stdout: { ...cli.stdout, isTTY: true } }, evil);
    expect(written.out).toBe("a ]0;title  [2Jb\n\tc\n");
    print(cli, evil);
    expect(written.out.endsWith(`${evil}\n`)).toBe(true); // a file or a pipe gets what there is
  });
});

describe("Ctrl-C", () => {
  it("asks once and kills the second time", () => {
    const { leaving, killed, written } = captured();
    expect(leaving.signal.aborted).toBe(false);
    leaving.ask();
    expect(leaving.signal.aborted).toBe(true);
    expect(killed).toEqual([]);
    expect(written.err).toContain("Ctrl-C once more ends it at once.");
    leaving.ask();
    expect(killed).toEqual([130]);
  });
});
