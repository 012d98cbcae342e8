/** What was measured, on what, with what: without it a figure cannot be compared with another. */
import { cpus, platform, release } from "node:os";
import { dirname } from "node:path";
import { execa } from "execa";
import { root } from "../../sdk/tools/checkout.js";
import type { BaseFacts, Bench } from "./bench.js";

/** Of a bench whose base is loaded; `more` is what the figure itself has settled. */
export async function conditionsOf(
  bench: Bench,
  facts: Partial<Pick<BaseFacts, "parameters" | "dtype" | "kernels" | "deviceName" | "torch" | "python">>,
  more: object,
): Promise<Record<string, unknown>> {
  const { against, base, threads, attention, allocator, compile, device } = bench.options;
  const { parameters, dtype, kernels, deviceName, torch, python } = facts;
  return {
    base,
    parameters,
    dtype: dtype ?? "float32",
    threads,
    attention,
    ...more,
    revision: await revisionOf(root),
    ...(against === undefined ? {} : { against, againstRevision: await revisionOf(against) }),
    ...(device === "cpu" ? { kernels } : { device, deviceName }),
    ...(allocator ? { allocator } : {}),
    ...(compile ? { compile } : {}),
    processor: cpus()[0]?.model,
    cores: cpus().length,
    system: `${platform()} ${release()}`,
    torch,
    python,
    node: process.versions.node,
  };
}

/** A checkout's commit, marked where files differ from it; nothing where the folder is no checkout of its own. */
export async function revisionOf(folder: string): Promise<string | undefined> {
  const words = ["-C", folder, "describe", "--always", "--dirty", "--abbrev=12"];
  const { stdout, failed } = await execa("git", words, {
    reject: false,
    env: { GIT_CEILING_DIRECTORIES: dirname(folder) },
  });
  return failed ? undefined : stdout;
}
