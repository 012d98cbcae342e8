/** What commands write where: results as JSON or to be read, progress on a terminal, adapters that stay. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announceWorker, type Runtime } from "lad";
import stringWidth from "string-width";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runLad } from "../../../sdk/src/cli/program.js";
import { captured, lad, lines } from "../../sdk/cli/support.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const home = join(scratch, "home");
const data = join(scratch, "data");
const TRAIN = ["train", data, "--base", "stub", "--rank", "2", "--window-tokens", "48"];
const SAMPLING = ["--policy", "refine:iterations=2", "--answer-tokens", "6"];

let runtime: Runtime;
beforeAll(async () => {
  vi.stubEnv("LAD_HOME", home);
  mkdirSync(data);
  const jsonl = EXAMPLES.map((example) => JSON.stringify(example)).join("\n");
  for (const name of ["train", "validation"]) writeFileSync(join(data, `${name}.jsonl`), jsonl);
  runtime = await startRuntime(join(scratch, "state"));
  await announceWorker(runtime.connection);
  await lad([...TRAIN, "--steps", "4", "--name", "mine"]);
});
afterAll(async () => {
  await runtime.close();
  vi.unstubAllEnvs();
});

/** Runs a command whose standard error is a terminal. */
async function watched(words: readonly string[]) {
  const { cli, written } = captured();
  const status = await runLad(words, { ...cli, stderr: { ...cli.stderr, isTTY: true, columns: 90 } });
  return { status, ...written };
}

/** The one value that a command prints. */
async function told(words: readonly string[]): Promise<Record<string, unknown>> {
  const { status, out, err } = await lad([...words, "--json"]);
  expect(status, err).toBe(0);
  const values = lines(out);
  expect(values).toHaveLength(1);
  return values[0] ?? {};
}

describe("--json", () => {
  it("tells what a base is that is pulled", async () => {
    expect(await told(["pull", "stub"])).toMatchObject({ name: "stub", parameterCount: 8864 });
  });

  it("tells where adapters are copied, merged and deleted", async () => {
    const [out, merged] = [join(scratch, "out"), join(scratch, "merged")];
    expect(await told(["adapters", "export", "mine", out])).toEqual({ name: "mine", folder: out });
    const taken = await told(["adapters", "import", out, "--name", "again"]);
    expect(taken).toEqual({ name: "again", folder: join(home, "adapters/again") });
    expect(await told(["adapters", "merge", "mine", merged])).toEqual({ name: "mine", folder: merged });
    expect(readdirSync(merged)).toContain("model.safetensors");
    expect(await told(["adapters", "drop", "again"])).toEqual({ name: "again", dropped: true });
    expect(existsSync(join(home, "adapters/again"))).toBe(false);
  });

  it("tells of a run what has become of it", async () => {
    const base = await runtime.loadBase("stub");
    await using adapter = await base.createAdapter({ rank: 1 });
    const training = { data: EXAMPLES, windowTokens: 48, steps: 4000, warmupSteps: 0, detached: true };
    const id = await adapter.train({ ...training, checkpoint: { name: "told" } }).start();
    expect(await told(["runs", "pause", id])).toMatchObject({ id, state: "paused" });
    expect(await told(["runs", "show", id])).toMatchObject({ id, state: "paused", totalSteps: 4000 });
    const shown = await told(["runs", "show", id]);
    expect(shown).toMatchObject({ specification: { baseName: "stub", training: { windowTokens: 48 } } });
    expect((await lad(["runs", "show", id])).out).toMatch(
      new RegExp(
        `^id +${id}\nkind +training\nstate +paused\nbase +stub\n[\\s\\S]*steps +\\d+ of 4000\n[\\s\\S]*\n\nbaseName: stub\n[\\s\\S]*windowTokens: 48\n`,
      ),
    );
    expect(await told(["runs", "cancel", id])).toMatchObject({ id, state: "cancelled" });
    expect(await told(["runs", "delete", id])).toEqual({ id, deleted: true });
  });

  it("tells where the adapter of a checkpoint is kept, and that one is deleted", async () => {
    const base = await runtime.loadBase("stub");
    await using adapter = await base.createAdapter({ rank: 1 });
    await adapter.checkpoint("point");
    const folder = join(home, "adapters/point");
    expect(await told(["checkpoints", "keep", "point"])).toEqual({ name: "point", folder });
    expect(await told(["checkpoints", "delete", "point"])).toEqual({ name: "point", deleted: true });
    await lad(["adapters", "drop", "point"]);
  });

  it("tells each turn of a chat in a line, also one that fails", async () => {
    const words = ["chat", "--adapter", "mine", ...SAMPLING, "--json"];
    const { out } = await lad(words, "Say abc.\n/seed 7\nSay abd.\n/adapter nobody\n");
    const [first, second, failed] = lines(out);
    expect(first).toEqual({
      question: "Say abc.",
      answer: expect.any(String),
      model: "mine",
      base: "stub",
      policy: { kind: "refine", iterations: 2 },
      seed: "0",
      tokens: expect.any(Number),
      iterations: 2,
      stopped: expect.any(String),
    });
    expect(second).toMatchObject({ question: "Say abd.", seed: "7" });
    expect(failed).toMatchObject({ question: "/adapter nobody", error: { code: "not-found" } });
    expect(lines(out)).toHaveLength(3);
  });
});

describe("a base with an adapter in its weights", () => {
  it("denoises by default, in the mode that its adapter was trained in, with the words of the adapter", async () => {
    const folder = join(scratch, "prefixed");
    await lad([...TRAIN, "--steps", "3", "--name", "prefixed", "--set", "attention=prefix"]);
    await lad(["adapters", "merge", "prefixed", folder]);
    const asked = ["sample", "Say abc.", "--iterations", "3", "--answer-tokens", "6"];
    const merged = await lad([...asked, "--adapter", "none", "--base", folder]);
    expect(merged.status, merged.err).toBe(0);
    expect(merged.out).toBe((await lad([...asked, "--adapter", "prefixed"])).out);
    const { attention } = (await runtime.loadBase(folder)).info;
    expect(attention).toBe("prefix");
    expect((await lad([...asked, "--base", folder])).err).toContain("with the adapter in its weights");
    expect((await lad(["chat", "--base", folder], "/policy\n")).err).toContain(
      "/policy is remask. Give one of",
    );
    await lad(["adapters", "drop", "prefixed"]);
  });

  it("is no other base's way: those answer token after token", async () => {
    expect((await lad(["chat", "--adapter", "none", "--base", "stub"], "/policy\n")).err).toContain(
      "/policy is ar.",
    );
  });
});

describe("progress", () => {
  it("of an evaluation is a bar on a terminal, with the time that it will take", async () => {
    const words = ["evaluate", data, "--adapter", "mine", "--questions", "6", ...SAMPLING];
    const { status, out, err } = await watched(words);
    expect(status).toBe(0);
    expect(err).toMatch(/mine {2}█+ {2}6\/6 {2}\d:\d\d of \d:\d\d/);
    expect(err).toMatch(/stub {2}█+ {2}6\/6 {2}\d:\d\d of \d:\d\d/);
    expect(out).toContain("exact match");
    const piped = await lad(words);
    expect(piped.err).toMatch(/^mine {2}\S+ {2}6\/6 {2}\d:\d\d of \d:\d\d$/m);
    expect(piped.err).not.toContain("\u001b");
  });

  it("of a merge counts bytes of weights", async () => {
    const { err } = await watched(["adapters", "merge", "mine", join(scratch, "counted")]);
    expect(err).toMatch(/mine {2}█+ {2}34\.6 KiB of 34\.6 KiB/);
  });

  it("of a run that is followed is a bar, beside the lines of its events", async () => {
    const id = (await runtime.runs()).find(({ checkpoint }) => checkpoint === "mine")?.id ?? "";
    const { out, err } = await watched(["runs", "follow", id]);
    expect(err).toMatch(/mine {2}█+ {2}4\/4 {2}loss/);
    expect(out).toMatch(/^started: 10 examples, [\d,]+ trained numbers\n/);
    expect(out).toMatch(/\nfinished: 4 steps in \d+ s\n$/);
    const events = lines((await lad(["runs", "follow", id, "--json"])).out);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)).toMatchObject({ event: { type: "finished", steps: 4 } });
  });

  it("of an answer of another program's run is told too", async () => {
    const base = await runtime.loadBase("stub");
    const run = base.sample({ messages: "Say abc.", policy: "ar", answerTokens: 4, seed: 1, detached: true });
    const { text } = await run.result();
    const { out } = await lad(["runs", "follow", run.runId ?? ""]);
    expect(out).toContain(`answer 1, after ${(await run.result()).iterations} forwards: ${text}`);
    expect(out).toMatch(/sampled: 1 answers in /);
  });
});

describe("a terminal of sixty columns", () => {
  const SWEPT = [
    "--ranks",
    "1,2",
    "--axis",
    "training.learningRate=1e-2,2e-2",
    "--steps",
    "2",
    "--questions",
    "2",
  ];

  it.each([
    [["runs", "list"]],
    [["adapters", "list"]],
    [["data", "inspect", data, "--base", "stub", "--shown", "1"]],
    [["evaluate", data, "--adapter", "mine", "--questions", "2", ...SAMPLING]],
    [["sweep", data, "--base", "stub", ...SWEPT]],
    [["doctor"]],
  ])("holds what %j prints", async (words) => {
    const { cli, written } = captured();
    const stdout = { ...cli.stdout, isTTY: true, columns: 60 };
    await runLad(words, { ...cli, stdout });
    const long = written.out.split("\n").filter((line) => stringWidth(line) > 60);
    expect(long.filter((line) => /\S\s+\S/.test(line.slice(15)))).toEqual([]); // a path has no place to be cut
    expect(written.out.trim()).not.toBe("");
  });
});

it("lad doctor looks at the worker of LAD_WORKER rather than at the one that is served", async () => {
  const { address, token } = runtime.connection;
  vi.stubEnv("LAD_WORKER", address);
  vi.stubEnv("LAD_TOKEN", token);
  const findings = lines((await lad(["doctor", "--json"])).out);
  vi.stubEnv("LAD_WORKER", undefined);
  vi.stubEnv("LAD_TOKEN", undefined);
  expect(findings.find(({ name }) => name === "worker")).toEqual({
    name: "worker",
    state: "fine",
    text: expect.stringMatching(/^LAD_WORKER names one at \S+: stub.*, \d+ adapters, PyTorch \d/),
  });
});

describe("lad demo", () => {
  /** Runs a demo until it says where it is, and tells which bases it has come to use. */
  async function demo(words: readonly string[]) {
    const { cli, written, leaving } = captured();
    const ended = runLad(["demo", "--port", "0", "--json", ...words], cli);
    await vi.waitFor(() => expect(written.err).toContain("Open that address"), { timeout: 60_000 });
    leaving.ask();
    expect(await ended).toBe(130);
    return { err: written.err, bases: (await runtime.info()).bases.map(({ name }) => name) };
  }

  it("is on tiny, whatever adapter was saved last, unless it is told another", async () => {
    const usual = await demo([]);
    expect(usual.bases).toContain("tiny");
    expect(usual.err).not.toContain("is chosen first");
    expect((await demo(["--base", "stub"])).err).toMatch(/^\S+ is chosen first: the adapter on stub/m);
    expect((await demo(["--adapter", "mine"])).err).not.toContain("is chosen first"); // it was named
  });
});

describe("adapters that stay", () => {
  const SWEEP = ["sweep", data, "--base", "stub", "--ranks", "1,2", "--steps", "2", "--questions", "2"];

  it("of a sweep have names that tell their points, and are what a user types next", async () => {
    const manifest = join(scratch, "kept.json");
    const { status, err } = await lad([...SWEEP, "--keep", "--manifest", manifest]);
    expect(status).toBe(0);
    expect(err).toContain("rank 1 is kept as stub-rank-1.");
    expect(err).toContain("rank 2 is kept as stub-rank-2.");
    expect(err).toContain("`npm run lad -- demo --adapter stub-rank-1 --adapter stub-rank-2` compares two");
    const kept = lines((await lad(["adapters", "list", "--json"])).out);
    expect(kept.slice(0, 2).map(({ name, rank, steps }) => [name, rank, steps])).toEqual([
      ["stub-rank-2", 2, 2],
      ["stub-rank-1", 1, 2],
    ]);
    expect(readFileSync(manifest, "utf8")).toContain(join(home, "adapters/stub-rank-1"));
    expect((await lad([...SWEEP, "--keep", "--manifest", manifest])).err).toContain(
      "is kept as stub-rank-1.",
    );
    expect((await lad([...SWEEP, "--keep", "--ranks", "1"])).err).toContain(
      "rank 1 is kept as stub-rank-1-2.",
    );
    expect((await lad(["sample", "Say abc.", "--adapter", "stub-rank-1", ...SAMPLING])).status).toBe(0);
  });

  it("of one without --keep are gone with it, as are those that were done before", async () => {
    const manifest = join(scratch, "left.json");
    const before = readdirSync(join(home, "adapters"));
    const without = await lad([...SWEEP, "--manifest", manifest]);
    expect(without.err).not.toContain("is kept");
    const after = await lad([...SWEEP, "--manifest", manifest, "--keep"]);
    expect(after.err).toContain("Points that were done before are not kept");
    expect(readdirSync(join(home, "adapters"))).toEqual(before);
  });

  it("answer where none is named if they were saved last, which is said first", async () => {
    await lad([...TRAIN, "--steps", "1", "--name", "newest"]);
    const { err } = await lad(["sample", "Say abc.", ...SAMPLING]);
    expect(err.split("\n")[0]).toBe(
      "newest answers, on stub: the adapter that was saved last. --adapter takes another, --adapter none the base alone.",
    );
    expect((await lad(["chat", ...SAMPLING], "/quit\n")).err).toMatch(/^newest answers, on stub/);
    expect((await lad(["sample", "Say abc.", "--adapter", "mine", ...SAMPLING])).err).not.toContain(
      "saved last",
    );
  });
});
