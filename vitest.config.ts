import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Test files of the tiers beside the ordinary one; `npm run test:<tier>` runs each. */
const TIERS = {
  programs: [
    "test/e2e/programs/*.test.ts",
    "test/bench/{bench,learning}.test.ts",
    "test/e2e/benchmarks/lm-eval.test.ts",
    "test/sdk/report/browser.test.ts",
  ],
  real: ["test/**/*real*.test.ts"],
  container: ["test/**/*container*.test.ts"],
  package: ["test/**/*package*.test.ts"],
};

const shared = {
  resolve: {
    alias: {
      "lad/endpoint": resolve(import.meta.dirname, "sdk/src/endpoint/index.ts"),
      "lad/report": resolve(import.meta.dirname, "sdk/src/report/index.ts"),
      lad: resolve(import.meta.dirname, "sdk/src/index.ts"),
    },
  },
};

/** @param isolate - whether each test file has a process of its own, which reads the sources anew */
function project(name: string, include: string[], exclude: string[], testTimeout: number, isolate = true) {
  return { ...shared, test: { name, include, exclude, isolate, testTimeout, hookTimeout: testTimeout } };
}

export default defineConfig({
  ...shared,
  test: {
    maxWorkers: 2,
    projects: [
      project("fast", ["test/**/*.test.ts"], Object.values(TIERS).flat(), 120_000, false),
      project("programs", TIERS.programs, TIERS.package, 300_000),
      project("real", TIERS.real, [], 900_000),
      project("container", TIERS.container, [], 1_500_000),
      project("package", TIERS.package, [], 900_000),
    ],
  },
});
