/** Folders for tests, which leave none behind. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

/** A folder that goes when the test file is done. Call it outside of tests. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lad-e2e-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder that goes when the test is done. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lad-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
