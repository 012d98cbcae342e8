import { describe, expect, it } from "vitest";
import { add, closingLine, ofPytest, ofVitest } from "../../../sdk/tools/counts.js";

function vitestReport(passed: number, failed: number, pending: number, unloaded: number): string {
  const testResults = [
    { status: "passed", assertionResults: [{ status: "passed" }] },
    ...Array.from({ length: failed }, () => ({ status: "failed", assertionResults: [{ status: "failed" }] })),
    ...Array.from({ length: unloaded }, () => ({ status: "failed", assertionResults: [] })),
  ];
  const counts = {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: 0,
  };
  return JSON.stringify({ ...counts, testResults });
}

const SUITE = '<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" ';

describe("counts of vitest", () => {
  it("are those of its report", () => {
    expect(ofVitest(vitestReport(5, 2, 1, 0), 1)).toEqual({ passed: 5, failed: 2, skipped: 1 });
  });

  it("have a failure for every file that could not be loaded", () => {
    expect(ofVitest(vitestReport(5, 1, 0, 2), 1)).toEqual({ passed: 5, failed: 3, skipped: 0 });
  });

  it("have a failure when the runner failed though no test did, or left no report", () => {
    expect(ofVitest(vitestReport(5, 0, 0, 0), 1).failed).toBe(1);
    expect(ofVitest("", 137)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe("counts of pytest", () => {
  it("are those of its report, errors being failures", () => {
    const report = `${SUITE}errors="1" failures="2" skipped="3" tests="10" time="1.0"></testsuite></testsuites>`;
    expect(ofPytest(report, 1)).toEqual({ passed: 4, failed: 3, skipped: 3 });
  });

  it("are nothing when no test was selected, and a failure when the runner died", () => {
    expect(ofPytest("", 5)).toEqual({ passed: 0, failed: 0, skipped: 0 });
    expect(ofPytest("", 139).failed).toBe(1);
  });
});

it("closes with one line, which leaves out skipped tests where there are none", () => {
  expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
  const sum = add({ passed: 1, failed: 1, skipped: 1 }, { passed: 2, failed: 0, skipped: 0 });
  expect(closingLine(sum)).toBe("3 passed, 1 failed, 1 skipped");
});
