/**
 * Runs one tier of the tests in both languages, tells which were skipped and why, and closes with one line, `N passed, N failed`:
 * `npm test`.
 *
 *     tsx sdk/tools/test.ts [fast | programs | real | container | package]
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { inFolder, pythonOfCheckout, root } from "./checkout.js";
import { add, type Counts, closingLine, ofPytest, ofVitest } from "./counts.js";
import { inLanes } from "./lanes.js";
import { partsOfTests } from "./parts.js";
import { type Skipped, skippedLines, skippedOfPytest, skippedOfVitest } from "./skipped.js";

type Tier = "fast" | "programs" | "real" | "container" | "package";

/** Which of pytest's marked tests belong to a tier; a tier without an entry has none in Python. */
const MARKS: Partial<Record<Tier, string>> = {
  fast: "not real and not container",
  real: "real",
  container: "container",
};

/** Of the ordinary tier's tests in Python: so few that the last is not long, as each imports torch. */
const PARTS = 4;
const PYTHON_TESTS = "test/runtime";

interface Ran {
  readonly counts: Counts;
  readonly skipped: readonly Skipped[];
  /** What is still to be shown. */
  readonly output: string;
}

const tier = (process.argv[2] ?? "fast") as Tier;
const isFast = tier === "fast";
const reports = await mkdtemp(join(tmpdir(), "lad-tests-"));
const marks = MARKS[tier];
const parts = isFast ? await partsOfTests(join(root, PYTHON_TESTS), PARTS) : [[PYTHON_TESTS]];
const python = marks === undefined ? [] : parts.map((part, i) => () => runPytest(marks, part, i));
// Two lanes: vitest keeps one of them to its end, whoever is free takes the next part of pytest's.
const ran = await inLanes(isFast ? 2 : 1, [runVitest, ...python]);
for (const { output } of ran) process.stdout.write(output);
for (const line of skippedLines(ran.flatMap(({ skipped }) => skipped))) console.log(line);
await rm(reports, { recursive: true });

const total = ran.map(({ counts }) => counts).reduce(add);
console.log(closingLine(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

async function runVitest(): Promise<Ran> {
  const report = join(reports, "vitest.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const words = ["run", "--project", tier, "--passWithNoTests", ...reporters];
  const { exitCode } = await execa("vitest", words, { ...inFolder(), reject: false });
  const text = await textOf(report);
  return { counts: ofVitest(text, exitCode ?? 1), skipped: skippedOfVitest(text, root), output: "" };
}

/** A part of the worker's tests. */
async function runPytest(marks: string, paths: readonly string[], part: number): Promise<Ran> {
  const report = join(reports, `pytest-${part}.xml`);
  const { python, env } = pythonOfCheckout();
  const { OMP_NUM_THREADS = "1", OMP_WAIT_POLICY = "PASSIVE" } = process.env;
  const options = inFolder({ OMP_NUM_THREADS, OMP_WAIT_POLICY, ...env });
  const words = ["-m", "pytest", "-m", marks, `--junitxml=${report}`, ...paths];
  const settings = { ...options, reject: false, stdout: "pipe", stderr: "pipe", all: true } as const;
  const { exitCode, all } = await execa(python, words, settings);
  const text = await textOf(report);
  return { counts: ofPytest(text, exitCode ?? 1), skipped: skippedOfPytest(text), output: `${all}\n` };
}

/** A report's text; empty where the runner died before it wrote one. */
function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
