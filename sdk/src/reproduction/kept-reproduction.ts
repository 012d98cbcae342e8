/** A reproduction out of what its folder keeps. */
import { join, resolve } from "node:path";
import { z } from "zod";
import { Benchmark } from "../benchmarks/benchmark.js";
import { LadError } from "../errors.js";
import { recipes } from "../experiments/recipes.js";
import { readManifest } from "../experiments/sweep-manifest.js";
import { canonical } from "../json.js";
import { checkReproduction } from "./options.js";
import { PIECES, QUESTION_SETS } from "./pieces.js";
import { Reproduction } from "./reproduction.js";
import { recipesOf, type Setting, settingOf } from "./setting.js";

const keptSpec = z.object({
  bases: z.array(z.string()).min(1),
  ranks: z.array(z.number()).min(1),
  steps: z.number(),
  questions: z.number(),
  iterations: z.array(z.number()),
  seed: z.number(),
  recipes: z.record(z.string(), z.unknown()),
  data: z.record(z.string(), z.string()),
  benchmarks: z.array(z.object({ set: z.enum(QUESTION_SETS), kind: z.string(), rows: z.string() })),
  load: z.unknown().optional(),
});

/**
 * Reads what a reproduction has measured so far, to judge and report it without a worker.
 *
 * @throws LadError `not-found` for a folder without one, `invalid-file`; `invalid-state` for one that follows other recipes than this
 *   version of lad has
 */
export async function readReproduction(folder: string): Promise<Reproduction> {
  const path = join(resolve(folder), PIECES);
  const { spec, points } = await readManifest(path);
  const kept = keptSpec.safeParse(spec);
  if (!kept.success) throw ofNone(path);
  const results = points.flatMap(({ point, outcome }) =>
    outcome.status === "done" ? [[String(point.piece), outcome.result] as const] : [],
  );
  const rows = kept.data.benchmarks.map(({ kind, rows }) => [kind, rows] as const);
  const data = { ...kept.data.data, ...Object.fromEntries(rows) };
  return new Reproduction(keptSetting(folder, kept.data, path), new Map(results), data);
}

/** The setting whose recipes are those that were followed: of each base, or all of one preset. */
function keptSetting(folder: string, kept: z.output<typeof keptSpec>, path: string): Setting {
  const { bases, ranks, steps, questions, iterations, seed } = kept;
  const options = checkReproduction({ folder, ranks, steps, questions, iterations, seed });
  const load = kept.load as Setting["load"];
  const benchmarks = Object.fromEntries(
    QUESTION_SETS.map((set) => [set, kept.benchmarks.filter((each) => each.set === set).map(askedBefore)]),
  ) as unknown as Setting["benchmarks"];
  for (const preset of [undefined, ...Object.keys(recipes)]) {
    const setting = settingOf({ ...options, bases, load, benchmarks, preset });
    if (canonical(recipesOf(setting)) === canonical(kept.recipes)) return setting;
  }
  throw new LadError("invalid-state", `${path} follows other recipes than this version of lad has.`, {
    option: "folder",
    value: path,
    remedy: "Report it with the version that measured it.",
  });
}

/** A benchmark whose rows are elsewhere: it names what was measured, and asks nothing. */
function askedBefore({ kind }: { readonly kind: string }): Benchmark {
  const read = () => {
    throw new LadError("invalid-state", `The rows of ${kind} are not kept with a reproduction's results.`);
  };
  return new Benchmark({ kind, by: [], read }, { data: [{}] });
}

function ofNone(path: string): LadError {
  return new LadError("invalid-file", `${path} is not as a reproduction wrote it.`, {
    option: "folder",
    value: path,
    remedy: "Give the folder of a reproduction.",
  });
}
