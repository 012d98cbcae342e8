/** What is wrong with a checkout that is to be released: a sentence each, with what to do. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { addressProblems } from "./addresses.js";

/** The version that is to be released: package.json's. */
export function versionOf(root: string): string {
  return manifestOf(root).version;
}

/** All that can be said before anything is made. */
export async function checkoutProblems(root: string): Promise<string[]> {
  return [
    ...versionProblems(root),
    ...changelogProblems(root),
    ...addressProblems(root),
    ...licenceProblems(root),
    ...(await treeProblems(root)),
  ];
}

/** Where else the version stands. */
const VERSIONS: Readonly<Record<string, RegExp>> = {
  "package-lock.json": /^ {2}"version": "(.*)"/m,
  "sdk/src/version.ts": /BUILD_VERSION = "(.*)"/,
  "runtime/pyproject.toml": /^version = "(.*)"/m,
  "runtime/lad_runtime/__init__.py": /^__version__ = "(.*)"/m,
};

function versionProblems(root: string): string[] {
  const version = versionOf(root);
  const wrong = Object.entries(VERSIONS).flatMap(([path, where]) => {
    const [, found] = where.exec(read(root, path)) ?? [];
    return found === version ? [] : [`${path} has the version ${found}, and package.json ${version}.`];
  });
  // npm and PyPI write other versions than these differently
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    wrong.push(`package.json's version is ${version}: it must be three numbers, such as 0.2.0.`);
  }
  return wrong;
}

function changelogProblems(root: string): string[] {
  const version = versionOf(root);
  const [, newest, entry = ""] =
    /^## (.*)\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(read(root, "CHANGELOG.md")) ?? [];
  if (newest !== version) {
    return [`CHANGELOG.md's newest heading is ${newest}: give it one for ${version}, above it.`];
  }
  return /^- /m.test(entry) ? [] : [`CHANGELOG.md says nothing of ${version}: tell users what changed.`];
}

function licenceProblems(root: string): string[] {
  const { license } = manifestOf(root);
  const [, python] = /^license = "(.*)"/m.exec(read(root, "runtime/pyproject.toml")) ?? [];
  const problems = existsSync(join(root, "LICENSE")) ? [] : ["LICENSE is missing."];
  if (license === undefined) problems.push("package.json has no license.");
  if (license !== python) {
    problems.push(`package.json's license is ${license}, runtime/pyproject.toml's ${python}.`);
  }
  return problems;
}

/** What is published is made of a commit, and the commit has a tag of its own. */
async function treeProblems(root: string): Promise<string[]> {
  const git = async (...words: string[]) => (await execa("git", words, { cwd: root })).stdout;
  const problems: string[] = [];
  const changed = await git("status", "--porcelain");
  if (changed !== "")
    problems.push(`Not committed: ${changed.replace(/^.{3}/gm, "").replaceAll("\n", ", ")}.`);
  const tag = `v${versionOf(root)}`;
  if ((await git("tag", "--list", tag)) === "") return problems;
  const [tagged, head] = [await git("rev-list", "-n1", tag), await git("rev-parse", "HEAD")];
  if (tagged !== head) problems.push(`The tag ${tag} is another commit's: raise the version.`);
  return problems;
}

interface Manifest {
  readonly version: string;
  readonly license?: string;
}

function manifestOf(root: string): Manifest {
  return JSON.parse(read(root, "package.json")) as Manifest;
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), "utf8");
}
