/** Brings a mixture's sources to the worker and has it mix them. */
import { check } from "../checks/check.js";
import type { Client } from "../client.js";
import { type CheckedMixture, type CheckedPlainSource, type Dataset, deduplicateFields } from "../options.js";
import { DataService, fromMixtureReport, type MixtureReport, type pb, present } from "../wire.js";
import { filePrompts, hubPrompts } from "./benchmark-prompts.js";
import { openSource } from "./sources.js";

/** A mixture on the worker. */
export interface MixedData {
  /** The mixture itself, which every call that takes data takes. */
  readonly dataset: Dataset;
  /** What became of its sources. */
  readonly report: MixtureReport;
}

/** Mixes data. Warns of a mixture that has fewer examples than it was to have. */
export async function mix(
  client: Client,
  given: CheckedMixture,
  baseId: string,
  signal: AbortSignal | undefined,
): Promise<MixedData> {
  const names = Object.keys(given.sources);
  const [opened, benchmarks] = await Promise.all([
    Promise.all(Object.values(given.sources).map(({ data }) => openSource(client, data, signal))),
    Promise.all(
      given.without.map(async (data) => openSource(client, await promptsOf(client, data, signal), signal)),
    ),
  ]);
  const ids = new Map(names.map((name, i) => [name, present(opened[i], "a source").id]));
  const mixture = specOf(given, ids, present(benchmarks, "benchmarks"));
  const reply = await client.call(DataService.mixDataset, { baseId, mixture }, { signal });
  const report = fromMixtureReport(present(reply.report, "MixDatasetResponse.report"));
  warnOfShortage(client, given.examples, report);
  return { dataset: { id: reply.datasetId, examples: report.examples }, report };
}

/** A benchmark's file of this machine, or its split on the hub, as its prompts; any other source, or columns of one's own, as they are. */
async function promptsOf(
  client: Client,
  data: CheckedPlainSource,
  signal: AbortSignal | undefined,
): Promise<CheckedPlainSource> {
  if ("fields" in data && data.fields !== undefined) return data;
  if ("jsonl" in data) return filePrompts(data.jsonl);
  return "hub" in data ? hubPrompts(client, data, signal) : data;
}

function specOf(
  given: CheckedMixture,
  ids: ReadonlyMap<string, string>,
  benchmarks: readonly Dataset[],
): pb.data.MixtureSpec {
  const { exact, near } = given.deduplicate ?? check(deduplicateFields, {});
  return {
    sources: Object.entries(given.sources).map(([name, { data: _, ...limits }]) => ({
      name,
      datasetId: ids.get(name) ?? "",
      ...limits,
    })),
    seed: given.seed,
    examples: BigInt(given.examples),
    exactDuplicates: exact,
    nearDuplicates: near,
    contamination: {
      datasetIds: benchmarks.map(({ id }) => id),
      overlapWords: given.overlapWords,
    },
  };
}

function warnOfShortage(client: Client, asked: number, { examples, endedBy }: MixtureReport): void {
  if (examples >= asked) return;
  client.warnOnce(
    `The mixture has ${examples} of ${asked} examples: the source ${endedBy} is used up. ` +
      "Give it a larger maxRepeats or a smaller share.",
  );
}
