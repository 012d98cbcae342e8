import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { skippedLines, skippedOfPytest, skippedOfVitest } from "../../../sdk/tools/skipped.js";

const tests = resolve(import.meta.dirname, "../..");

describe("the tests that did not run", () => {
  it("are told by file and reason, and counted: vitest's by a title that says why", () => {
    const group = ["a page in Chromium (skipped where there is none)"];
    const report = {
      testResults: [
        {
          name: "/checkout/test/e2e/page.test.ts",
          assertionResults: [
            { status: "skipped", title: "opens", ancestorTitles: group },
            { status: "skipped", title: "closes", ancestorTitles: group },
            { status: "pending", title: "writes (skipped for root)", ancestorTitles: ["a folder"] },
            { status: "passed", title: "builds", ancestorTitles: [] },
          ],
        },
      ],
    };
    expect(skippedLines(skippedOfVitest(JSON.stringify(report), "/checkout"))).toEqual([
      "skipped 2: test/e2e/page.test.ts: a page in Chromium (skipped where there is none)",
      "skipped 1: test/e2e/page.test.ts: writes (skipped for root)",
    ]);
    expect(skippedOfVitest("", "/checkout")).toEqual([]);
  });

  it("of pytest have the reason of their mark", () => {
    const report =
      '<testsuite><testcase classname="kernels.test_matmul" name="a" time="0.1" /><testcase classname="test_cuda" name="b" time="0">' +
      '<skipped type="pytest.skip" message="torch finds no &quot;CUDA&quot; device">x</skipped></testcase></testsuite>';
    expect(skippedLines(skippedOfPytest(report))).toEqual([
      'skipped 1: test/runtime/test_cuda.py: torch finds no "CUDA" device',
    ]);
  });

  it("all say why: a title behind skipIf and runIf has (skipped …)", () => {
    const silent = readdirSync(tests, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".test.ts"))
      .flatMap((path) =>
        [
          ...readFileSync(join(tests, path), "utf8").matchAll(
            /\.(?:skipIf|runIf)\([^\n]*\)\(\s*"([^"\n]*)"/g,
          ),
        ].map(([, title = ""]) => `${path}: ${title}`),
      );
    expect(silent.length).toBeGreaterThan(5);
    expect(silent.filter((line) => !line.includes("(skipped "))).toEqual([]);
  });
});
