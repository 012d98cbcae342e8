import { resolve } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";

it("the release is made, installed and checked, and whatever is against it is told by name", async () => {
  const words = ["--import", "tsx", "sdk/tools/release.ts", "--dry-run"];
  const cwd = resolve(import.meta.dirname, "../../..");
  const { stdout, stderr } = await execa(process.execPath, words, { cwd, reject: false });
  expect(stdout, stderr).toMatch(/^lad-\d+\.\d+\.\d+\.tgz: \d+ files$/m);
  expect(stdout).toMatch(/^lad_runtime-\d+\.\d+\.\d+-py3-none-any\.whl: \d+ files$/m);
  expect(stdout).toMatch(/^lad_runtime-\d+\.\d+\.\d+\.tar\.gz: \d+ files$/m);
  // The repository is the project's to give, and a commit is only made of what is finished.
  const ours = /^- package\.json has no repository\.|^- Not committed: |is not released: /;
  expect(stderr.split("\n").filter((line) => !ours.test(line))).toEqual([]);
});
