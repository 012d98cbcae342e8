/** Everything that can be said of the code without running it, in both languages: `npm run check`. */
import { execa } from "execa";
import { inFolder, pythonOfCheckout } from "./checkout.js";
import { BASELINE, staleFiles } from "./gen.js";

const PYTHON_SOURCES = ["runtime", "test/runtime", "bench"];
const TYPED = ["-p", "lad_runtime", "-p", "lad_lm_eval", "-p", "bench.sides", "-p", "bench.references"];

const { python, env } = pythonOfCheckout();
const CHECKS: Record<string, () => Promise<unknown>> = {
  "lint and format of TypeScript": () => run("biome", ["ci", "--reporter=summary", "."]),
  "types of TypeScript": () => run("tsc", ["-p", "."]),
  "types of the demo's page": () => run("tsc", ["-p", "sdk/web"]),
  "types of the documentation's site": () => run("tsc", ["-p", "docs/.vitepress"]),
  "reference of the published types": () => run("typedoc", ["--logLevel", "Warn", "--emit", "none"]),
  "lint of the protocol": () => run("buf", ["lint", "proto"]),
  "format of the protocol": () => run("buf", ["format", "--diff", "--exit-code", "proto"]),
  "compatibility of the protocol": () => run("buf", ["breaking", "proto", "--against", BASELINE]),
  "generated code": generatedCode,
  "lint of Python": () => run(python, ["-m", "ruff", "check", "--quiet", ...PYTHON_SOURCES]),
  "format of Python": () => run(python, ["-m", "ruff", "format", "--check", "--quiet", ...PYTHON_SOURCES]),
  "types of Python": () => run(python, ["-m", "mypy", "--config-file", "runtime/pyproject.toml", ...TYPED]),
};

let failed = 0;
for (const [name, check] of Object.entries(CHECKS)) {
  try {
    await check();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
  }
}
console.log(failed === 0 ? "all checks passed" : `${failed} of ${Object.keys(CHECKS).length} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;

function run(command: string, words: readonly string[]): Promise<unknown> {
  return execa(command, words, inFolder(env));
}

async function generatedCode(): Promise<void> {
  const stale = await staleFiles();
  if (stale.length > 0)
    throw new Error(
      `not that of proto/ and of the options' comments, run \`npm run gen\`: ${stale.join(", ")}`,
    );
}
