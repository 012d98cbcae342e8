/** The report of a benchmark, of what its folder keeps. */
import type { Estimate } from "../evaluation/statistics/estimate.js";
import { newcombe, wilson } from "../evaluation/statistics/wilson.js";
import { lineChart } from "../report/parts/chart.js";
import { Report } from "../report/report.js";
import { BUILD_VERSION } from "../version.js";
import { REFERENCE } from "./options.js";
import { readResults } from "./results-folder.js";
import type { ItemResult } from "./scoring/scorer.js";

interface Configured {
  readonly benchmark: { readonly kind: string; readonly items: number; readonly data: string };
  readonly by: string;
  readonly base: { readonly name: string };
  readonly models: Readonly<Record<string, unknown>>;
}

/** A model's results. */
interface Row {
  readonly name: string;
  readonly items: readonly ItemResult[];
  /** Its accuracy less that of the base without an adapter, on the items that both have answered; undefined for the base. */
  readonly difference: Estimate | undefined;
}

/**
 * Every model beside the base without an adapter; also of a benchmark that is not done.
 *
 * @throws LadError `not-found` for a folder without results, `invalid-file` for one that cannot be read
 */
export async function benchmarkReport(folder: string): Promise<Report> {
  const { configuration } = await readResults(folder, REFERENCE);
  const { benchmark, by, base, models } = configuration as unknown as Configured;
  const results = new Map<string, readonly ItemResult[]>();
  for (const name of Object.keys(models)) results.set(name, (await readResults(folder, name)).results);
  const rows = rowsOf(results);
  const report = new Report({
    title: `${benchmark.kind} on ${base.name}, by ${by}`,
    about: "Every model with its 95 % interval, beside the base without an adapter on the same items.",
    configuration,
    versions: { "lad, of this report": BUILD_VERSION },
    data: [{ name: "rows", sha256: benchmark.data, examples: benchmark.items }],
  });
  const section = report.section("Results");
  if (rows.some(({ items }) => items.length < benchmark.items)) {
    section.text(`Not all of the ${benchmark.items} items were asked of each model yet.`);
  }
  section.table({
    title: "Models",
    columns: [
      { header: "model", value: ({ name }) => name },
      { header: "items", value: ({ items }) => items.length },
      { header: "right", form: "percent", value: ({ items }) => share(items, ({ correct }) => correct) },
      {
        header: "most likely for each character",
        form: "percent",
        value: ({ items }) => share(items, ({ correctByCharacters }) => correctByCharacters),
      },
      {
        header: "for each byte",
        form: "percent",
        value: ({ items }) => share(items, ({ correctByBytes }) => correctByBytes),
      },
      { header: `more than ${REFERENCE}`, form: "percent", value: ({ difference }) => difference },
      { header: "not read", value: ({ items }) => items.filter(({ read }) => read === null).length },
      { header: "forwards an answer", value: ({ items }) => mean(items.map(({ forwards }) => forwards)) },
    ],
    rows,
  });
  const answered = rows.filter(({ items }) => items.length > 0);
  if (answered.length > 0) {
    section.plot(
      lineChart({
        title: "Right answers",
        x: { label: "model", scale: "category" },
        y: { label: "right", form: "percent" },
        series: [
          {
            name: benchmark.kind,
            points: answered.map(({ name, items }) => ({
              x: name,
              y: wilson(items.map(({ correct }) => correct)),
            })),
          },
        ],
      }),
    );
  }
  return report;
}

function rowsOf(results: ReadonlyMap<string, readonly ItemResult[]>): Row[] {
  const reference = new Map((results.get(REFERENCE) ?? []).map(({ id, correct }) => [id, correct]));
  return [...results].map(([name, items]) => {
    const both = items.filter(({ id }) => reference.has(id));
    const own = both.map(({ correct }) => correct);
    const other = both.map(({ id }) => reference.get(id) === true);
    const isCompared = name !== REFERENCE && both.length > 0;
    return { name, items, difference: isCompared ? newcombe(own, other) : undefined };
  });
}

/** Undefined where no item tells it. */
function share(
  items: readonly ItemResult[],
  of: (item: ItemResult) => boolean | undefined,
): Estimate | undefined {
  const told = items.flatMap((item) => of(item) ?? []);
  return told.length === 0 ? undefined : wilson(told);
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const told = values.flatMap((value) => value ?? []);
  return told.length === 0 ? undefined : told.reduce((sum, value) => sum + value, 0) / told.length;
}
