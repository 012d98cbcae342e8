import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hoveredProperties } from "../sdk/support/hover.js";
import { optionSchemas, untold } from "../sdk/support/option-schemas.js";

const SCRIPT = `
import { Runtime, remask } from "lad";
const runtime = await Runtime.start({ threads: 1 });
const base = await runtime.loadBase("stub");
const adapter = await base.createAdapter({ rank: 2 });
const data = [{ instruction: "Say a.", output: "a" }];
const training = await adapter.train({ data, windowTokens: 48, steps: 2, warmupSteps: 0 }).result();
const answer = await adapter.sample({ messages: "Say a.", answerTokens: 4, policy: remask({ iterations: 2 }) }).result();
console.log(JSON.stringify({ steps: training.steps, tokens: answer.canvasIds.length }));
await runtime.close();
`;

const QUESTION = "Name the capitals.\nPeru Chile";
const ANSWER = "The capital of Peru is Lima. The capital of Chile is Santiago.";

/** An installed package, in a folder of its own, with a home of its own. */
let folder: string;

/** Whoever installs it has none of the variables that a developer may have set. */
const environment = () => ({ LAD_HOME: join(folder, "home"), LAD_WORKER: undefined, LAD_TOKEN: undefined });

function inFolder(words: [string, ...string[]], input = "") {
  const [command, ...rest] = words;
  return execa(command, rest, { cwd: folder, env: environment(), input, reject: false });
}

/** `npx lad` with these words, which must succeed: what it prints. */
async function lad(words: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await inFolder(["npx", "--no-install", "lad", ...words], input);
  expect(exitCode, `lad ${words.join(" ")}: ${stderr}${stdout}`).toBe(0);
  return stdout;
}

beforeAll(async () => {
  const checkout = resolve(import.meta.dirname, "../..");
  folder = mkdtempSync(join(tmpdir(), "lad-package-"));
  const { stdout } = await execa("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: checkout,
  });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const tarball = stdout.trim().split("\n").at(-1) ?? "";
  await execa("npm", ["install", "--no-audit", "--no-fund", `./${tarball}`], { cwd: folder });
  writeFileSync(join(folder, "script.js"), SCRIPT);
  const example = { instruction: QUESTION, output: ANSWER };
  writeFileSync(join(folder, "capitals.jsonl"), `${JSON.stringify(example)}\n`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the published package", () => {
  it("holds the SDK, the worker and the container's files, and none of the tests and caches", async () => {
    const { stdout } = await execa("find", [".", "-type", "f"], { cwd: join(folder, "node_modules/lad") });
    const files = stdout.split("\n").map((path) => path.slice(2));
    for (const path of [
      "sdk/dist/index.js",
      "sdk/dist/index.d.ts",
      "sdk/dist/cli/main.js",
      "sdk/dist/web/index.html",
      "runtime/lad_runtime/__main__.py",
      "runtime/lad_lm_eval/__main__.py",
      "runtime/lad_lm_eval/sampling_defaults.json",
      "docs/benchmarks.md",
      "docs/demo.md",
      "docs/endpoint.md",
      "docs/guide/first-run.md",
      "docs/images/denoising.svg",
      "examples/notebook.ipynb",
      "examples/train-and-sample.ts",
      "runtime/requirements/core.txt",
      "runtime/Dockerfile",
      "docker-compose.yml",
      "proto/lad/v1/worker.proto",
      "LICENSE",
      "README.md",
    ]) {
      expect(files, path).toContain(path);
    }
    expect(files.filter((path) => /(__pycache__|\.pyc$|^test\/|\/src\/|\.test\.)/.test(path))).toEqual([]);
  });

  it("tells an editor what each option means, its default and its range", async () => {
    const schemas = await optionSchemas();
    const properties = hoveredProperties(join(folder, "node_modules/lad/sdk/dist/index.d.ts"));
    const mute = properties.filter(({ text }) => text === "").map(({ type, path }) => `${type}.${path}`);
    expect(properties.map(({ type, path }) => `${type}.${path}`)).toContain("AdapterOptions.rank");
    expect(mute).toEqual([]);
    expect(properties.flatMap((property) => untold(property, schemas))).toEqual([]);
  });

  it("says to run the set-up before a worker can start", async () => {
    const { exitCode, stderr } = await inFolder(["node", "script.js"]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("Run `npx lad setup` once");
  });

  it("trains and samples after the set-up", async () => {
    const setup = await inFolder(["npx", "--no-install", "lad", "setup"]);
    expect(setup.exitCode, setup.stderr).toBe(0);
    expect(setup.stderr).toContain("will download PyTorch");
    const again = await inFolder(["npx", "--no-install", "lad", "setup"]);
    expect(again.stderr).not.toContain("lad:");
    const { stdout, stderr, exitCode } = await inFolder(["node", "script.js"]);
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ steps: 2, tokens: 4 });
  });

  it("finds nothing wrong with a machine that is set up", async () => {
    const found = await lad(["doctor"]);
    expect(found).toContain(join(folder, "home", "venv"));
    expect(found).toMatch(/^✓ device +PyTorch \d/m);
    expect(found).not.toMatch(/^✗/m);
  });

  it("trains an adapter from the shell, and talks to it and to its base", async () => {
    expect(await lad(["train", "capitals.jsonl", "--steps", "2", "--name", "capitals"])).toBe("capitals");
    const asked = `${QUESTION.replace("\n", "\\\n")}\n/adapter none\n/again\n`;
    const told = (await lad(["chat", "--json"], asked)).split("\n").map((line) => JSON.parse(line));
    expect(told).toMatchObject([
      { question: QUESTION, model: "capitals", base: "tiny", policy: { kind: "remask" } },
      { question: QUESTION, model: "tiny", policy: { kind: "ar" }, answer: ANSWER },
    ]);
  });

  it("sweeps, and makes the report of what was kept", async () => {
    const sweep = ["sweep", "capitals.jsonl", "--base", "stub", "--ranks", "1,2", "--steps", "2"];
    const rows = await lad([...sweep, "--manifest", "ranks.json", "--json"]);
    expect(rows.split("\n").map((line) => JSON.parse(line).point)).toEqual([
      { "adapter.rank": 1 },
      { "adapter.rank": 2 },
    ]);
    const { html } = JSON.parse(await lad(["report", "ranks.json", "--json"]));
    expect(readFileSync(resolve(folder, html), "utf8")).toContain("<!doctype html>");
  });

  it("serves the demo's page at the address that it prints, until Ctrl-C", async () => {
    const program = join(folder, "node_modules/.bin/lad");
    const serving = execa(program, ["demo", "--port", "0", "--json"], {
      cwd: folder,
      env: environment(),
      reject: false,
    });
    const [line] = (await once(serving.stdout, "data", { signal: AbortSignal.timeout(60_000) })) as [Buffer];
    const { url } = JSON.parse(line.toString()) as { url: string };
    const reply = await fetch(url);
    expect(reply.status).toBe(200);
    expect(await reply.text()).toContain("<title>lad demo</title>");
    serving.kill("SIGINT");
    expect((await serving).exitCode).toBe(130);
  });

  it("states its version", async () => {
    const { stdout } = await inFolder(["npx", "--no-install", "lad", "--version"]);
    const manifest = JSON.parse(readFileSync(join(folder, "node_modules/lad/package.json"), "utf8"));
    expect(stdout).toBe(manifest.version);
  });
});
