/** Reads the test runners' reports. */

/** How many tests ended how. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** pytest's exit code when no test was selected. */
const NOTHING_SELECTED = 5;

/** Counts of vitest's JSON report. A file that could not be loaded, and a runner that failed otherwise, count as one failure. */
export function ofVitest(report: string, exitCode: number): Counts {
  if (report === "") return { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  const parsed = JSON.parse(report) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
    testResults: { status: string; assertionResults: { status: string }[] }[];
  };
  const unloaded = parsed.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failed = parsed.numFailedTests + unloaded.length;
  return {
    passed: parsed.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: parsed.numPendingTests + parsed.numTodoTests,
  };
}

/** Counts of pytest's JUnit report; a runner that failed without a failed test counts as one failure. */
export function ofPytest(report: string, exitCode: number): Counts {
  if (exitCode === NOTHING_SELECTED) return { passed: 0, failed: 0, skipped: 0 };
  const suite = /<testsuite [^>]*>/.exec(report)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  return {
    passed: count("tests") - failed - count("skipped"),
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: count("skipped"),
  };
}

export function add(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** `12 passed, 0 failed`, and `, 3 skipped` where some were. */
export function closingLine(counts: Counts): string {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}
