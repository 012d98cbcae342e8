/** The report of whatever results were kept. */
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { benchmarkReport } from "../benchmarks/benchmark-report.js";
import { CONFIGURATION } from "../benchmarks/results-folder.js";
import { check } from "../checks/check.js";
import { filledText } from "../checks/fields.js";
import { isLadError, LadError } from "../errors.js";
import { keptSweepReport } from "../experiments/reports/kept-sweep.js";
import { readManifest } from "../experiments/sweep-manifest.js";
import type { Report } from "../report/report.js";
import { readReproduction } from "./kept-reproduction.js";
import { PIECES } from "./pieces.js";

/**
 * Makes the report of kept results again, without a worker: of a sweep's or an experiment's manifest, or of a folder that has one; of the
 * folder of a benchmark or a reproduction. What is not done is left out.
 *
 * @throws LadError `not-found` where there are no such results, `invalid-file` for those that cannot be read, `invalid-state`
 */
export async function readReport(path: string): Promise<Report> {
  const place = resolve(check(filledText("a path"), path, "path"));
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) throw nothing(place, "there is no such file or folder");
  if (found.isFile()) return keptSweepReport(place);
  const names: readonly string[] = await readdir(place).catch(() => []);
  if (names.includes(PIECES)) return (await readReproduction(place)).reportOf();
  if (names.includes(CONFIGURATION)) return benchmarkReport(place);
  const manifests = await manifestsOf(place, names);
  const [manifest, other] = manifests;
  if (manifest === undefined) throw nothing(place, "it keeps no results that a report is made of");
  if (other !== undefined) throw nothing(place, `it has several manifests: ${manifests.join(", ")}`);
  return keptSweepReport(join(place, manifest));
}

async function manifestsOf(folder: string, names: readonly string[]): Promise<string[]> {
  const manifests: string[] = [];
  for (const name of names.filter((each) => each.endsWith(".json")).sort()) {
    try {
      await readManifest(join(folder, name));
      manifests.push(name);
    } catch (error) {
      if (!isLadError(error)) throw error;
    }
  }
  return manifests;
}

function nothing(path: string, problem: string): LadError {
  return new LadError("not-found", `path is ${path}: ${problem}.`, {
    option: "path",
    value: path,
    remedy: "Give the manifest of a sweep or an experiment, or the folder of a benchmark or a reproduction.",
  });
}
