/** Which tests did not run, and why: in vitest a title says so, `… (skipped where there is none)`; pytest's reports have the reason. */

/** Skipped tests of one file that have one reason. */
export interface Skipped {
  /** The file, from the repository's root. */
  readonly file: string;
  /** What they are of and why they were left out, as the tests say it. */
  readonly reason: string;
  readonly tests: number;
}

/** Of vitest's JSON report; paths in it are absolute. */
export function skippedOfVitest(report: string, root: string): Skipped[] {
  if (report === "") return [];
  const { testResults } = JSON.parse(report) as {
    testResults: {
      name: string;
      assertionResults: { status: string; title: string; ancestorTitles: string[] }[];
    }[];
  };
  const found = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => ["pending", "skipped", "todo"].includes(status))
      .map(({ title, ancestorTitles }) => ({
        file: name.replace(`${root}/`, ""),
        reason: [title, ...ancestorTitles].find((each) => each.includes("(skipped ")) ?? title,
      })),
  );
  return counted(found);
}

/** Of pytest's JUnit report. */
export function skippedOfPytest(report: string): Skipped[] {
  const found = [
    ...report.matchAll(/<testcase classname="([^"]*)"[^>]*><skipped [^>]*message="([^"]*)"/g),
  ].map(([, module = "", message = ""]) => ({
    file: `test/runtime/${module.replaceAll(".", "/")}.py`,
    reason: message.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&amp;", "&"),
  }));
  return counted(found);
}

/** A line for each, before the closing line. */
export function skippedLines(skipped: readonly Skipped[]): string[] {
  return skipped.map(({ file, reason, tests }) => `skipped ${tests}: ${file}: ${reason}`);
}

function counted(found: readonly Omit<Skipped, "tests">[]): Skipped[] {
  const groups = new Map<string, Skipped>();
  for (const { file, reason } of found) {
    const key = `${file}\n${reason}`;
    groups.set(key, { file, reason, tests: (groups.get(key)?.tests ?? 0) + 1 });
  }
  return [...groups.values()];
}
