/** Installs the artefacts in empty folders, and asks them who they are. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { pythonOfCheckout } from "../checkout.js";
import type { Artefacts } from "./artefacts.js";

/** What an artefact must say of itself. */
export interface Expected {
  readonly version: string;
  /** Whether it was made with addresses. */
  readonly addresses: boolean;
}

/** What does not come out as published: a sentence each. */
export async function installProblems(
  folder: string,
  made: Artefacts,
  expected: Expected,
): Promise<string[]> {
  const scratch = await mkdtemp(join(tmpdir(), "lad-install-"));
  try {
    const problems = await npmProblems(scratch, join(folder, made.npm.file), expected);
    for (const { file } of [made.wheel, made.sdist]) {
      problems.push(...(await pythonProblems(scratch, join(folder, file), expected)));
    }
    return problems;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function npmProblems(scratch: string, file: string, expected: Expected): Promise<string[]> {
  await writeFile(join(scratch, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await execa("npm", ["install", "--no-audit", "--no-fund", file], { cwd: scratch });
  const { stdout } = await execa("npx", ["--no-install", "lad", "--version"], { cwd: scratch });
  const loads = 'await import("lad"); await import("lad/endpoint"); await import("lad/report");';
  await execa(process.execPath, ["--input-type=module", "-e", loads], { cwd: scratch });
  const manifest = JSON.parse(await readFile(join(scratch, "node_modules/lad/package.json"), "utf8"));
  const names = ["license", ...(expected.addresses ? ["repository", "homepage", "bugs"] : [])];
  const lacked = names.filter((name) => manifest[name] === undefined);
  return [
    ...(stdout === expected.version ? [] : [`${file} says that it is ${stdout}.`]),
    ...lacked.map((name) => `${file}: its package.json has no ${name}.`),
  ];
}

/** Prints what an installed worker says of itself, without what it needs: PyTorch is no part of the check. */
const ASK = `
import json
from importlib.metadata import metadata
import lad_runtime
about = metadata("lad-runtime")
names = ("Project-URL", "License-Expression", "Requires-Dist", "License-File")
print(json.dumps({"version": lad_runtime.__version__, **{name: about.get_all(name) for name in names}}))
`;

async function pythonProblems(scratch: string, file: string, expected: Expected): Promise<string[]> {
  const target = await mkdtemp(join(scratch, "python-"));
  const { python } = pythonOfCheckout();
  await execa(python, ["-m", "pip", "install", "--quiet", "--no-deps", "--target", target, file]);
  const { stdout } = await execa(python, ["-c", ASK], { cwd: target, env: { PYTHONPATH: target } });
  const { version, ...about } = JSON.parse(stdout) as Record<string, unknown>;
  if (!expected.addresses) delete about["Project-URL"];
  const lacked = Object.entries(about).flatMap(([name, value]) => (value === null ? [name] : []));
  return [
    ...(version === expected.version ? [] : [`${file} says that it is ${version}.`]),
    ...lacked.map((name) => `${file}: its metadata has no ${name}.`),
  ];
}
