/**
 * Runs one tier of the tests in both languages and closes with one line, `N passed, N failed`: `npm test`.
 *
 *     tsx sdk/tools/test.ts [fast | real | container | package]
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { inFolder, pythonOfCheckout } from "./checkout.js";
import { add, type Counts, closingLine, ofPytest, ofVitest } from "./counts.js";

type Tier = "fast" | "real" | "container" | "package";

/** Which of pytest's marked tests belong to a tier; a tier without an entry has none in Python. */
const MARKS: Partial<Record<Tier, string>> = {
  fast: "not real and not container",
  real: "real",
  container: "container",
};

const tier = (process.argv[2] ?? "fast") as Tier;
const reports = await mkdtemp(join(tmpdir(), "lad-tests-"));
const marks = MARKS[tier];
const python = () => (marks ? runPytest(marks, join(reports, "pytest.xml")) : undefined);
// Most of a worker's tests wait for something, and so both languages side by side take little longer than either.
const beside = tier === "fast" ? python() : undefined;
const vitest = await runVitest(join(reports, "vitest.json"));
const pytest = await (beside ?? python());
if (pytest !== undefined) process.stdout.write(pytest.output);
await rm(reports, { recursive: true });

const total = pytest ? add(vitest, pytest.counts) : vitest;
console.log(closingLine(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

async function runVitest(report: string): Promise<Counts> {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const words = ["run", "--project", tier, "--passWithNoTests", ...reporters];
  const { exitCode } = await execa("vitest", words, { ...inFolder(), reject: false });
  return ofVitest(await textOf(report), exitCode ?? 1);
}

/** The tests of the worker, and what pytest said of them. */
async function runPytest(marks: string, report: string): Promise<{ counts: Counts; output: string }> {
  const { python, env } = pythonOfCheckout();
  const { OMP_NUM_THREADS = "1", OMP_WAIT_POLICY = "PASSIVE" } = process.env;
  const options = inFolder({ OMP_NUM_THREADS, OMP_WAIT_POLICY, ...env });
  const words = ["-m", "pytest", "-m", marks, `--junitxml=${report}`, "test/runtime"];
  const settings = { ...options, reject: false, stdout: "pipe", stderr: "pipe", all: true } as const;
  const { exitCode, all } = await execa(python, words, settings);
  return { counts: ofPytest(await textOf(report), exitCode ?? 1), output: `${all}\n` };
}

/** A report's text; empty where the runner died before it wrote one. */
function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
