/** A base on its way into the worker, as it is told. */
import type { BaseOptions, Runtime } from "lad";
import { recipeFor } from "lad";
import { expect, it } from "vitest";
import { loadBase } from "../../../sdk/src/cli/support/loading.js";
import { captured } from "./support.js";

const MIB = 2 ** 20;

/** A worker that tells these bytes of a download. */
function telling(doneBytes: readonly number[], totalBytes: number): Runtime {
  const load = async (_: string, { onProgress }: BaseOptions) => {
    for (const done of doneBytes) onProgress?.({ phase: "download", doneBytes: done, totalBytes });
    return "the base";
  };
  return { loadBase: load } as unknown as Runtime;
}

it("is a bar of bytes on a terminal, with the time that it will take", async () => {
  const { cli, written } = captured();
  const watched = { ...cli, stderr: { ...cli.stderr, isTTY: true, columns: 100 } };
  const runtime = telling([300 * MIB, 600 * MIB, 1200 * MIB], 1200 * MIB);
  await loadBase(watched, runtime, "owner/model", recipeFor("owner/model"));
  expect(written.err).toMatch(/owner\/model: download {2}█+ {2}1\.2 GiB of 1\.2 GiB {2}0:00 of 0:00/);
  expect(written.out).toBe("");
});

it("is a plain line in a pipe, and nothing for a small one", async () => {
  const { cli, written } = captured();
  await loadBase(cli, telling([5 * MIB], 5 * MIB), "tiny", recipeFor("tiny"));
  expect(written.err).toBe("");
  await loadBase(cli, telling([64 * MIB], 128 * MIB), "owner/model", recipeFor("owner/model"));
  expect(written.err).toMatch(/^owner\/model: download {2}\S+ {2}64\.0 MiB of 128\.0 MiB\n$/);
});
