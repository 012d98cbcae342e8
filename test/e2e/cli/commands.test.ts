/** The commands on a worker that is served to them: what a user types, and what comes of it. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announceWorker, type Runtime } from "lad";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { runLad } from "../../../sdk/src/cli/program.js";
import { captured, lad, lines } from "../../sdk/cli/support.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const home = join(scratch, "home");
const data = join(scratch, "data");
const WINDOW = ["--window-tokens", "48"];
const TRAIN = ["train", data, "--base", "stub", "--rank", "2", "--steps", "4", ...WINDOW];

let runtime: Runtime;
beforeAll(async () => {
  vi.stubEnv("LAD_HOME", home);
  mkdirSync(data);
  const jsonl = EXAMPLES.map((example) => JSON.stringify(example)).join("\n");
  writeFileSync(join(data, "train.jsonl"), jsonl);
  writeFileSync(join(data, "validation.jsonl"), jsonl);
  runtime = await startRuntime(join(scratch, "state"));
  await announceWorker(runtime.connection);
});
/** The worker is another's: a command leaves nothing in it, and takes nothing away. */
afterEach(async () => {
  const { adapters, bases } = await runtime.info();
  expect(adapters.map(({ id }) => id)).toEqual([]);
  expect(bases.length).toBeLessThanOrEqual(1);
});
afterAll(async () => {
  await runtime.close();
  vi.unstubAllEnvs();
});

describe("a first hour", () => {
  it("begins with no adapter", async () => {
    expect((await lad(["adapters"])).err).toBe(
      "There are no adapters yet: `npm run lad -- train` makes one.\n",
    );
    expect((await lad(["runs"])).err).toBe("There are no runs.\n");
  });

  it("trains an adapter, names it, and keeps it", async () => {
    const { status, out, err } = await lad(TRAIN);
    expect({ status, out }).toEqual({ status: 0, out: "stub-r2\n" });
    expect(err).toContain("nats a corrupted token of held-out questions");
    expect(err).toContain("`npm run lad -- chat --adapter stub-r2` talks to it.");
    expect(readdirSync(join(home, "adapters/stub-r2"))).toContain("adapter_model.safetensors");
    expect((await lad(["adapters", "list"])).out).toMatch(/stub-r2 +stub +2 +4 +full/);
  });

  it("gives the next one another name, unless it has one", async () => {
    const events = lines((await lad([...TRAIN, "--json", "--set", "validation.everySteps=2"])).out);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["started", "step", "validation", "checkpoint", "finished", "saved"]),
    );
    expect(events.filter(({ type }) => type === "validation").map(({ step }) => step)).toEqual([0, 2, 4]);
    expect(events.at(-1)).toMatchObject({ type: "saved", name: "stub-r2-2" });
    const again = await lad([...TRAIN, "--name", "stub-r2"]);
    expect(again).toMatchObject({ status: 1, err: expect.stringContaining("stub-r2 exists") });
  });

  it("ends early where validations bring no more, and keeps the best", async () => {
    const words = ["train", data, "--base", "stub", "--rank", "1", ...WINDOW, "--learning-rate", "100"];
    const { out, err } = await lad([...words, "--steps", "60", "--patience", "2", "--name", "best"]);
    expect(out).toBe("best\n");
    const [, step = ""] = /Ended early: the best validation was after (\d+) steps\./.exec(err) ?? [];
    const [kept] = lines((await lad(["adapters", "list", "--json"])).out);
    expect({ name: kept?.name, steps: kept?.steps ?? 0 }).toEqual({ name: "best", steps: Number(step) });
    await lad(["adapters", "drop", "best"]);
    const again = await lad([...words, "--steps", "4", "--patience", "1", "--name", "best"]);
    expect(again).toMatchObject({ status: 0, out: "best\n" }); // no checkpoint is left in its way
    await lad(["adapters", "drop", "best"]);
  });

  it("refuses to be told what it gives itself", async () => {
    for (const set of ["save=/tmp/x", "checkpoint.name=y", "detached=false"]) {
      const { status, err } = await lad([...TRAIN, "--set", set]);
      expect({ status, err }).toEqual({
        status: 2,
        err: expect.stringContaining("is the command's own to give"),
      });
    }
    const { out } = await lad([...TRAIN, "--json", "--name", "often", "--set", "checkpoint.everySteps=1"]);
    expect(lines(out).filter(({ type }) => type === "checkpoint")).toHaveLength(4);
    await lad(["adapters", "drop", "often"]);
  });

  it("reads columns of other names, and holds some of the data out", async () => {
    const file = join(scratch, "asked.csv");
    const rows = Array.from({ length: 40 }, (_, i) => `Say ${i}.,${i}`);
    writeFileSync(file, ["question,answer", ...rows].join("\n"));
    const words = [
      "train",
      file,
      "--base",
      "stub",
      "--rank",
      "1",
      "--steps",
      "6",
      ...WINDOW,
      "--name",
      "read",
    ];
    const columns = ["--columns", "instruction=question,output=answer"];
    expect(await lad([...words, "--json"])).toMatchObject({ status: 1 });
    const { out } = await lad([...words, ...columns, "--held-out", "0.3", "--patience", "9", "--json"]);
    const [started] = lines(out) as { data: { kept: number }; validationData: { kept: number } }[];
    expect((started?.data.kept ?? 0) + (started?.validationData.kept ?? 0)).toBe(40);
    expect(started?.validationData.kept).toBeGreaterThan(3);
    await lad(["adapters", "drop", "read"]);
  });

  it("leaves a base to those who have loaded it", async () => {
    const base = await runtime.loadBase("stub");
    expect(await lad(["pull", "stub"])).toMatchObject({ status: 0 });
    expect(await base.encode("still here")).not.toEqual([]);
  });

  it("answers a question, of an argument or a pipe alike", async () => {
    const asked = ["--adapter", "stub-r2", "--policy", "refine", "--iterations", "2", "--answer-tokens", "6"];
    const argument = await lad(["sample", "Say abc.", ...asked]);
    expect(argument.status).toBe(0);
    expect(await lad(["sample", ...asked], "Say abc.\n")).toMatchObject({ out: argument.out });
    const frames = lines((await lad(["sample", "Say abc.", "--json", ...asked])).out);
    expect(frames.map(({ type }) => type).at(-1)).toBe("answer");
    expect(frames[0]).toMatchObject({ type: "frame", iteration: 0, pieces: expect.any(Array) });
    expect(`${frames.at(-1)?.text}\n`).toBe(argument.out);
  });

  it("ends an answer before a text, and gives up one that takes too long", async () => {
    const asked = ["sample", "Say abc.", "--adapter", "none", "--base", "stub", "--answer-tokens", "24"];
    const { out } = await lad(asked);
    const [, end = ""] = /^[\s\S]{3}([\s\S])/u.exec(out) ?? [];
    const cut = await lad([...asked, "--stop", end]);
    expect(cut.out).toBe(`${out.slice(0, out.indexOf(end))}\n`);
    expect(await lad([...asked, "--answer-tokens", "96", "--timeout", "0.000001"])).toMatchObject({
      status: 1,
      err: expect.stringMatching(/took longer than 1 ms\. Give a longer --timeout, or/),
    });
  });

  it("fills the gaps of an answer and leaves the rest", async () => {
    const { out } = await lad(["sample", "Say abc.", "--policy", "refine", "--answer", "A[2]B"]);
    expect(out).toMatch(/^A[\s\S]*B\n$/);
  });

  it("takes the adapter that was saved last, another, or none", async () => {
    const last = lines((await lad(["adapters", "list", "--json"])).out)[0];
    expect(last).toMatchObject({ name: "stub-r2-2" });
    const whose = async (...words: string[]) =>
      (await lad(["evaluate", data, "--questions", "2", "--json", ...words])).out;
    expect(lines(await whose()).map(({ model }) => model)).toEqual(["stub-r2-2", "stub"]);
    expect(lines(await whose("--adapter", "stub-r2")).map(({ model }) => model)).toEqual(["stub-r2", "stub"]);
    expect(lines(await whose("--adapter", "none", "--base", "stub")).map(({ model }) => model)).toEqual([
      "stub",
    ]);
  });

  it("names the nearest adapter where there is none", async () => {
    const { status, err } = await lad(["sample", "x", "--adapter", "stub-r3"]);
    expect(status).toBe(1);
    expect(err).toContain("Did you mean stub-r2?");
  });

  it("shows its data as training would see it", async () => {
    const { out } = await lad(["data", "inspect", data, "--base", "stub", ...WINDOW, "--shown", "1"]);
    expect(out).toContain("11 examples: 10 become windows");
  });

  it("sweeps ranks, by flags and by the file that they stand for", async () => {
    const words = ["sweep", data, "--base", "stub", "--ranks", "1,2", "--steps", "2", "--questions", "2"];
    const set = ["--set", "windowTokens=48"];
    const swept = lines((await lad([...words, ...set, "--json"])).out);
    expect(swept.map(({ point }) => point)).toEqual([{ "adapter.rank": 1 }, { "adapter.rank": 2 }]);
    const file = join(scratch, "experiment.yaml");
    writeFileSync(file, (await lad([...words, ...set, "--yaml"])).out);
    expect(await lad(["run", file, "--check"])).toMatchObject({ status: 0 });
    const run = lines((await lad(["run", file, "--json"])).out);
    const losses = (rows: Record<string, unknown>[]) => rows.map(({ validation }) => validation);
    expect(losses(run)).toEqual(losses(swept));
  });

  it("measures the claims of the paper, in sittings", async () => {
    const folder = join(scratch, "claims");
    mkdirSync(folder);
    const rows = Array.from({ length: 6 }, (_, i) => ({ instruction: `Say ${i}.`, output: `${i}` }));
    for (const name of ["train", "validation", "easy", "arithmetic"]) {
      writeFileSync(join(folder, `${name}.jsonl`), rows.map((row) => JSON.stringify(row)).join("\n"));
    }
    const out = join(scratch, "reproduced");
    const words = [
      "reproduce",
      folder,
      "--bases",
      "stub",
      "--ranks",
      "1,2",
      "--steps",
      "2",
      "--questions",
      "2",
      "--out",
      out,
    ];
    const [plan] = lines((await lad([...words, "--plan", "--json"])).out);
    expect(plan).toMatchObject({ steps: 2, bases: [{ base: "stub", variants: 4 }] });
    expect(existsSync(out)).toBe(false);
    const first = await lad([...words, "--minutes", "0.0000001"]);
    expect(first.err).toContain("the same command goes on.");
    const { status, out: verdicts, err } = await lad(words);
    expect(status).toBe(0);
    expect(verdicts).toMatch(/^\(a\) /);
    expect(err).toContain(`The report: ${join(out, "report/index.html")}`);
    expect(readdirSync(out)).toContain("pieces.json");
  });

  it("copies adapters out and in, and drops them", async () => {
    const out = join(scratch, "exported");
    const before = readdirSync(scratch).length;
    await lad(["adapters", "export", "stub-r2", out]);
    expect(readdirSync(out)).toContain("README.md");
    expect(await lad(["adapters", "export", "stub-r2", out])).toMatchObject({ status: 1 });
    expect(readdirSync(scratch)).toHaveLength(before + 1); // whole or not at all
    expect((await lad(["adapters", "import", out, "--name", "theirs"])).out).toBe("theirs\n");
    expect(await lad(["adapters", "drop", "theirs", "nobody"])).toMatchObject({ status: 1 });
    expect(existsSync(join(home, "adapters/theirs"))).toBe(true);
    writeFileSync(join(home, "adapters/theirs/adapter_config.json"), "{");
    expect((await lad(["adapters"])).err).toContain("theirs is no adapter that can be read");
    const bare = join(scratch, "bare");
    mkdirSync(bare);
    writeFileSync(join(bare, "adapter_config.json"), '{"r":4}');
    expect((await lad(["adapters", "import", bare])).err).toContain("adapter_model.safetensors is missing");
    for (const name of ["..", "../data", ""]) {
      expect(await lad(["adapters", "drop", name])).toMatchObject({ status: 2 });
    }
    await lad(["adapters", "drop", "theirs"]);
    expect(existsSync(join(home, "adapters/theirs"))).toBe(false);
  });
});

describe("a chat", () => {
  it("answers line by line, and does what lines with a slash say", async () => {
    const { status, out, err } = await lad(
      ["chat", "--adapter", "stub-r2", "--answer-tokens", "5"],
      [
        "/policy bogus",
        "/policy refine:iterations=2",
        "Say abc.",
        "/edit A[2]B",
        "/poliicy x",
        "/history maybe",
        "/help",
        "/quit",
        "no",
      ].join("\n"),
    );
    expect(status).toBe(0);
    expect(out).toMatch(/\n?A[\s\S]*B\n$/);
    expect(err).toContain("policy is bogus");
    expect(err).toContain("Did you mean /policy?");
    expect(err).toContain("Give one of on, off.");
    expect(err).toContain("make the last answer of what stays");
  });

  it("takes questions of several lines, and has some that the small bases know", async () => {
    const settings = ["--adapter", "stub-r2", "--policy", "refine", "--answer-tokens", "6"];
    const { out, err } = await lad(
      ["chat", ...settings],
      "/example\nName the capitals.\\\nPortugal Iran Iraq Chile\n",
    );
    expect(err).toContain("Name the capitals.\nPortugal Iran Iraq Chile\n");
    expect(out).toBe(out.slice(0, out.length / 2).repeat(2)); // the example, and the same typed
  });

  it("asks each question alone on a small base, and with what was said before where it is told to", async () => {
    const settings = ["--adapter", "stub-r2", "--policy", "refine", "--answer-tokens", "12"];
    const twice = async (...flags: string[]) => {
      const { out } = await lad(
        ["chat", ...settings, ...flags],
        "Say abc.\n/edit [12]\nSay abc.\n/edit [12]\n",
      );
      return out;
    };
    const alone = await twice();
    expect(alone).toBe(`${alone.slice(0, alone.length / 2)}`.repeat(2));
    const together = await twice("--history");
    expect(together.startsWith(alone.slice(0, alone.length / 2))).toBe(true);
    expect(together).not.toBe(alone);
  });
});

describe("leaving", () => {
  it("pauses a training, which goes on by its id", async () => {
    const { cli, written, leaving } = captured();
    const words = [...TRAIN.slice(0, -4), "--steps", "800", ...WINDOW, "--name", "long"];
    const ended = runLad(words, cli);
    await vi.waitFor(async () => expect((await runs())[0]?.steps).toBeGreaterThan(3), { timeout: 30_000 });
    leaving.ask();
    expect(await ended).toBe(130);
    const [, id = ""] = /`npm run lad -- runs resume (\S+)`/.exec(written.err) ?? [];
    const [, told] = /Paused after (\d+) of 800 steps\./.exec(written.err) ?? [];
    expect((await lad(["runs", "list"])).out).toMatch(new RegExp(`${id} +training +paused +stub +long`));
    const { steps } = JSON.parse((await lad(["runs", "show", id, "--json"])).out) as { steps: number };
    expect(steps).toBeLessThan(800);
    expect(steps).toBe(Number(told));
    expect(await lad(words)).toMatchObject({
      status: 1,
      err: expect.stringContaining(`\`npm run lad -- runs resume ${id}\` goes on`),
    });
    expect((await lad(["runs", "resume", "no-such-run"])).err).toContain("No run begins with no-such-run.");
    expect(await lad(["runs", "resume", id.slice(0, 12)])).toMatchObject({ status: 0, out: "long\n" });
    expect((await lad(["adapters"])).out).toMatch(/long +stub +2 +800/);
    await lad(["runs", "delete", id]);
    expect((await lad(["runs", "list"])).out).not.toContain(id);
  });

  it("says that another has cancelled the training, and forgets it with its checkpoint", async () => {
    const words = [...TRAIN.slice(0, -4), "--steps", "3000", ...WINDOW, "--name", "stopped"];
    const ended = lad(words);
    await vi.waitFor(async () => expect((await runs("stopped"))[0]?.steps).toBeGreaterThan(25), {
      timeout: 30_000,
    });
    const [{ id } = { id: "" }] = await runs("stopped");
    await lad(["runs", "cancel", id]);
    const { status, out, err } = await ended;
    expect({ status, out }).toEqual({ status: 1, out: "" });
    expect(err).toMatch(/The training was cancelled after \d+ of 3000 steps\./);
    await lad(["runs", "delete", id]);
    const again = await lad([...words, "--steps", "2"]);
    expect(again).toMatchObject({ status: 0, out: "stopped\n" });
    const [finished = ""] = (await runs("stopped")).map(({ id }) => id);
    expect((await lad(["runs", "resume", finished])).err).toContain(
      "is finished: there is nothing to go on with.",
    );
  });

  it("lists checkpoints that programs left, keeps the adapter of one, and deletes it", async () => {
    expect((await lad(["checkpoints"])).err).toContain("There are no checkpoints.");
    const base = await runtime.loadBase("stub");
    await using adapter = await base.createAdapter({ rank: 3, seed: 1 });
    const rows = [{ instruction: "Say a.", output: "a" }];
    await adapter.train({ data: rows, steps: 2, warmupSteps: 0, windowTokens: 48 }).result();
    await adapter.checkpoint("left-behind");
    expect((await lad(["checkpoints"])).out).toMatch(/left-behind +stub +3 +2/);
    expect(lines((await lad(["checkpoints", "list", "--json"])).out)).toMatchObject([
      { name: "left-behind" },
    ]);
    expect(await lad(["checkpoints", "keep", "left-behind"])).toMatchObject({
      status: 0,
      out: "left-behind\n",
    });
    expect((await lad(["adapters"])).out).toMatch(/left-behind +stub +3/);
    expect((await lad(["checkpoints", "keep", "nothing"])).err).toContain("There is no checkpoint nothing.");
    expect(await lad(["checkpoints", "delete", "left-behind"])).toMatchObject({ status: 0 });
    expect((await lad(["checkpoints", "list", "--json"])).out).toBe("");
    await lad(["adapters", "drop", "left-behind"]);
  });

  it("tells what of a sweep is done, and where it is kept", async () => {
    const { cli, written, leaving } = captured();
    const manifest = join(home, "left.json");
    const words = [
      "sweep",
      data,
      "--base",
      "stub",
      "--ranks",
      "1,2,4,8",
      "--steps",
      "60",
      "--questions",
      "2",
    ];
    const ended = runLad([...words, "--manifest", manifest, "--json"], cli);
    await vi.waitFor(() => expect(written.out).toContain("adapter.rank"), { timeout: 60_000 });
    leaving.ask();
    expect(await ended).toBe(130);
    expect(written.err).toMatch(/[123] of 4 done in \d+ s\./);
    expect(written.err).toContain(`What is done is kept in ${manifest}: the same command goes on.`);
  });

  it("is followed by two, of whom one keeps the adapter", async () => {
    const { cli, written, leaving } = captured();
    const ended = runLad([...TRAIN.slice(0, -4), "--steps", "400", ...WINDOW, "--name", "twice"], cli);
    await vi.waitFor(async () => expect((await runs("twice"))[0]?.steps).toBeGreaterThan(3), {
      timeout: 30_000,
    });
    leaving.ask();
    await ended;
    const [, id = ""] = /`npm run lad -- runs resume (\S+)`/.exec(written.err) ?? [];
    const both = await Promise.all([lad(["runs", "resume", id]), lad(["runs", "resume", id])]);
    const [other, keeper] = both.sort((a, b) => a.out.length - b.out.length);
    expect(keeper).toMatchObject({ status: 0, out: "twice\n" });
    expect(other).toMatchObject({ out: "", err: expect.stringMatching(/The run \S+ is finished/) });
  });

  it("loses no adapter that could not be kept at once", async () => {
    const folder = join(home, "adapters/blocked");
    const words = [...TRAIN.slice(0, -4), "--steps", "800", ...WINDOW, "--name", "blocked"];
    const ended = lad(words);
    await vi.waitFor(async () => expect(await runs("blocked")).toHaveLength(1), { timeout: 30_000 });
    mkdirSync(folder);
    writeFileSync(join(folder, "somebody-elses"), "");
    const { status, err } = await ended;
    const [, id = ""] =
      /its adapter is not kept yet: `npm run lad -- runs resume (\S+)` tries again/.exec(err) ?? [];
    expect({ status, err }).toEqual({ status: 1, err: expect.stringContaining("which is no adapter's") });
    rmSync(folder, { recursive: true });
    await Promise.all(
      (await runtime.info()).adapters.map(async (each) => (await runtime.adapter(each.id)).drop()),
    );
    expect(await lad(["runs", "resume", id])).toMatchObject({ status: 0, out: "blocked\n" }); // of its checkpoint
    expect((await lad(["adapters"])).out).toMatch(/blocked +stub +2 +800/);
  });

  it("goes on with a run of another program, and leaves that its adapter", async () => {
    const base = await runtime.loadBase("stub");
    await using adapter = await base.createAdapter({ rank: 1 });
    const training = {
      data: EXAMPLES,
      windowTokens: 48,
      steps: 300,
      checkpoint: { name: "program" },
      detached: true,
    };
    const run = runtime.run(await adapter.train(training).start());
    await run.pause();
    expect(await lad(["runs", "resume", run.id])).toMatchObject({ status: 0, out: "" });
    expect((await adapter.refresh()).steps).toBe(300);
    expect((await lad(["adapters"])).out).not.toContain("program");
    await base.loadCheckpoint("program").then((kept) => kept.drop());
  });

  async function runs(name = "long") {
    return (await runtime.runs()).filter(({ checkpoint }) => checkpoint === name);
  }
});
