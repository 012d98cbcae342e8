import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { addressesOf, manifestWith, pyprojectWith } from "../../../sdk/tools/release/addresses.js";
import { contentProblems } from "../../../sdk/tools/release/contents.js";
import { checkoutProblems } from "../../../sdk/tools/release/problems.js";

const scratch = mkdtempSync(join(tmpdir(), "lad-release-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const MANIFEST = { version: "0.2.0", license: "Apache-2.0", repository: "https://forge.dev/lad/lad" };
const PYPROJECT = '[project]\nname = "lad-runtime"\nversion = "0.2.0"\nlicense = "Apache-2.0"\n';

/** A checkout that can be released. */
let root: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function git(...words: string[]) {
  const author = ["-c", "user.name=a", "-c", "user.email=a@b"];
  return execa("git", [...author, ...words], { cwd: root });
}

async function commit(): Promise<void> {
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "--message", "All");
}

beforeEach(async () => {
  root = mkdtempSync(join(scratch, "checkout-"));
  write("package.json", JSON.stringify(MANIFEST));
  write("package-lock.json", '{\n  "name": "lad",\n  "version": "0.2.0"\n}\n');
  write("sdk/src/version.ts", 'export const BUILD_VERSION = "0.2.0";\n');
  write("runtime/pyproject.toml", PYPROJECT);
  write("runtime/lad_runtime/__init__.py", '__version__ = "0.2.0"\n');
  write("CHANGELOG.md", "# Changelog\n\n## 0.2.0\n\n- More.\n\n## 0.1.0\n\n- All.\n");
  write("LICENSE", "Apache");
  await git("init", "--quiet");
  await commit();
});

describe("a release", () => {
  it("has nothing against a checkout with one version, its changelog entry, its addresses and its licence", async () => {
    expect(await checkoutProblems(root)).toEqual([]);
  });

  it.each([
    ["package-lock.json", '{\n  "version": "0.1.0"\n}'],
    ["sdk/src/version.ts", 'BUILD_VERSION = "0.1.0"'],
    ["runtime/pyproject.toml", PYPROJECT.replace("0.2.0", "0.1.0")],
    ["runtime/lad_runtime/__init__.py", '__version__ = "0.1.0"'],
  ])("is refused while %s has another version", async (path, text) => {
    write(path, text);
    await commit();
    const problem = `${path} has the version 0.1.0, and package.json 0.2.0.`;
    expect(await checkoutProblems(root)).toEqual([problem]);
  });

  it("is refused without an entry in the changelog", async () => {
    write("CHANGELOG.md", "# Changelog\n\n## 0.2.0\n\n## 0.1.0\n\n- All.\n");
    await commit();
    expect(await checkoutProblems(root)).toEqual([
      "CHANGELOG.md says nothing of 0.2.0: tell users what changed.",
    ]);
    write("CHANGELOG.md", "# Changelog\n\n## 0.1.0\n\n- All.\n");
    await commit();
    expect(await checkoutProblems(root)).toEqual([
      "CHANGELOG.md's newest heading is 0.1.0: give it one for 0.2.0, above it.",
    ]);
  });

  it.each([
    [undefined, "package.json has no repository."],
    [
      "https://forge.dev/OWNER/lad",
      "package.json's repository is https://forge.dev/OWNER/lad, a placeholder.",
    ],
    [
      "https://example.com/lad/lad",
      "package.json's repository is https://example.com/lad/lad, a placeholder.",
    ],
    ["https://<host>/lad", "package.json's repository is https://<host>/lad, a placeholder."],
    ["lad/lad", "package.json's repository is lad/lad, no address of a repository."],
  ])("is refused with the repository %s", async (repository, problem) => {
    write("package.json", JSON.stringify({ ...MANIFEST, repository }));
    await commit();
    const [found = "", ...others] = await checkoutProblems(root);
    expect(found).toContain(`${problem} Give "repository": "https://…"`);
    expect(others).toEqual([]);
    expect(addressesOf(root)).toBeUndefined();
  });

  it("takes addresses whose words only look like placeholders", async () => {
    for (const repository of ["https://code.forge.org/my-org/lad", "git+https://forge.dev/lad/lad.git"]) {
      write("package.json", JSON.stringify({ ...MANIFEST, repository: { type: "git", url: repository } }));
      await commit();
      expect(await checkoutProblems(root)).toEqual([]);
    }
  });

  it("is refused with another licence in Python, or without its text", async () => {
    write("runtime/pyproject.toml", PYPROJECT.replace("Apache-2.0", "MIT"));
    rmSync(join(root, "LICENSE"));
    await commit();
    expect(await checkoutProblems(root)).toEqual([
      "LICENSE is missing.",
      "package.json's license is Apache-2.0, runtime/pyproject.toml's MIT.",
    ]);
  });

  it("is refused while something is not committed, and under a tag that another commit has", async () => {
    await git("tag", "v0.2.0");
    expect(await checkoutProblems(root)).toEqual([]);
    write("notes.txt", "new");
    expect(await checkoutProblems(root)).toEqual(["Not committed: notes.txt."]);
    await commit();
    expect(await checkoutProblems(root)).toEqual(["The tag v0.2.0 is another commit's: raise the version."]);
  });
});

describe("what is published", () => {
  it("carries the addresses in both packages, all from the one repository", () => {
    const addresses = addressesOf(root);
    if (addresses === undefined) throw new Error("there are no addresses");
    const manifest = JSON.parse(manifestWith(JSON.stringify(MANIFEST), addresses));
    expect(manifest).toEqual({
      ...MANIFEST,
      repository: { type: "git", url: "git+https://forge.dev/lad/lad.git" },
      homepage: "https://forge.dev/lad/lad#readme",
      bugs: { url: "https://forge.dev/lad/lad/issues" },
    });
    expect(pyprojectWith(PYPROJECT, addresses)).toBe(
      `${PYPROJECT}
[project.urls]
Repository = "https://forge.dev/lad/lad"
Homepage = "https://forge.dev/lad/lad#readme"
Issues = "https://forge.dev/lad/lad/issues"
Changelog = "https://forge.dev/lad/lad/blob/HEAD/CHANGELOG.md"
`,
    );
  });

  it("is told of by name where it lacks a file or has one of ours", () => {
    const none = { file: "lad.whl", files: [] };
    const npm = ["test/a.test.ts", "runtime/.env", "runtime/.dockerignore", "sdk/dist/index.js"];
    const problems = contentProblems({ npm: { file: "lad.tgz", files: npm }, wheel: none, sdist: none });
    expect(problems).toContain("lad.tgz lacks README.md.");
    expect(problems).toContain("lad.whl lacks lad_runtime/__main__.py.");
    expect(problems).not.toContain("lad.tgz lacks sdk/dist/index.js.");
    const unwanted = problems.filter((problem) => problem.includes("not to be published"));
    expect(unwanted).toEqual([
      "lad.tgz has test/a.test.ts, which is not to be published.",
      "lad.tgz has runtime/.env, which is not to be published.",
    ]);
  });
});
