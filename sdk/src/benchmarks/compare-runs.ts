/** Compares two models' kept results item by item, of one benchmark run or of two. */
import { check } from "../checks/check.js";
import { filledText } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption } from "../errors.js";
import type { Estimate } from "../evaluation/statistics/estimate.js";
import { newcombe, wilson } from "../evaluation/statistics/wilson.js";
import { canonical } from "../json.js";
import { readResults } from "./results-folder.js";

/** A model's results in the folder of a benchmark. */
export interface KeptRun {
  /** The folder that `runBenchmark` kept its results in. */
  folder: string;
  /** The model's name there; `autoregressive` is the base without an adapter. */
  model: string;
}

export const keptRun = fieldsOf<KeptRun>()({
  folder: filledText("a folder's path"),
  model: filledText("a model's name"),
});

/** Two models on the items that both have answered. */
export interface RunComparison {
  /** The items that both have. */
  readonly n: number;
  /** The first one's share of right answers. */
  readonly first: Estimate;
  /** The second one's. */
  readonly second: Estimate;
  /** The first share minus the second. */
  readonly difference: Estimate;
  /** The items that only the first has right. */
  readonly onlyFirst: readonly string[];
  /** The items that only the second has right. */
  readonly onlySecond: readonly string[];
  /** The items whose results differ in anything: right or not, what was written, likelihoods. */
  readonly changed: readonly string[];
}

/**
 * Compares results item by item; each may also be of a run that is not done.
 *
 * @throws LadError `not-found` for a folder without results, `invalid-file`; `invalid-option` for results of different rows
 */
export async function compareRuns(first: KeptRun, second: KeptRun): Promise<RunComparison> {
  const [one, other] = [check(keptRun, first, "first"), check(keptRun, second, "second")];
  const left = await readResults(one.folder, one.model);
  const right = await readResults(other.folder, other.model);
  const [here, there] = [left, right].map(({ configuration }) => dataOf(configuration));
  if (here !== there) {
    const remedy = "Compare runs of one benchmark on the same rows.";
    throw invalidOption("second", there, `its rows are others than the first one's, ${here}`, remedy);
  }
  const byId = new Map(right.results.map((result) => [result.id, result]));
  const pairs = left.results.flatMap((result) => {
    const same = byId.get(result.id);
    return same === undefined ? [] : [[result, same] as const];
  });
  const [a, b] = [pairs.map(([each]) => each.correct), pairs.map(([, each]) => each.correct)];
  const ids = (wanted: (pair: (typeof pairs)[number]) => boolean) =>
    pairs.filter(wanted).map(([{ id }]) => id);
  return {
    n: pairs.length,
    first: wilson(a),
    second: wilson(b),
    difference: newcombe(a, b),
    onlyFirst: ids(([x, y]) => x.correct && !y.correct),
    onlySecond: ids(([x, y]) => !x.correct && y.correct),
    changed: ids(([x, y]) => canonical(x) !== canonical(y)),
  };
}

function dataOf(configuration: Readonly<Record<string, unknown>>): string {
  const { kind, data } = (configuration.benchmark ?? {}) as { kind?: unknown; data?: unknown };
  return `${kind} ${data}`;
}
