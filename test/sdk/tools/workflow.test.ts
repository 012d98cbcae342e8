import { accessSync, constants, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";

const root = resolve(import.meta.dirname, "../../..");
const text = readFileSync(join(root, ".github/workflows/ci.yml"), "utf8");

interface Workflow {
  on: Record<string, unknown>;
  jobs: { all: { strategy: { matrix: { node: number[] } }; steps: Record<string, unknown>[] } };
}

it("the hosted workflow runs .ci/run on pushes and pull requests, with Node versions that the package takes", () => {
  const { on, jobs } = parse(text) as Workflow;
  expect(Object.keys(on)).toEqual(["push", "pull_request"]);
  expect(jobs.all.steps.at(-1)).toEqual({ run: ".ci/run" });
  accessSync(join(root, ".ci/run"), constants.X_OK);
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const oldest = Number(/^>=(\d+)/.exec(engines.node)?.[1]);
  expect(Math.min(...jobs.all.strategy.matrix.node)).toBe(oldest);
});

it("the hosted workflow names no host and pins every action to a version", () => {
  expect(text).not.toMatch(/https?:|\b[a-z0-9-]+\.(com|org|io|net)\b/);
  const uses = (parse(text) as Workflow).jobs.all.steps.flatMap(({ uses }) =>
    uses === undefined ? [] : [uses],
  );
  expect(uses.length).toBeGreaterThan(0);
  for (const action of uses) expect(action).toMatch(/^actions\/[a-z-]+@v\d+$/);
});
