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

/** An installed package, in a folder of its own, with a home of its own. */
let folder: string;

function inFolder(words: [string, ...string[]]) {
  const [command, ...rest] = words;
  return execa(command, rest, { cwd: folder, env: { LAD_HOME: join(folder, "home") }, reject: false });
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
      "docs/evaluation.md",
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

  it("states its version", async () => {
    const { stdout } = await inFolder(["npx", "--no-install", "lad", "--version"]);
    const manifest = JSON.parse(readFileSync(join(folder, "node_modules/lad/package.json"), "utf8"));
    expect(stdout).toBe(manifest.version);
  });
});
