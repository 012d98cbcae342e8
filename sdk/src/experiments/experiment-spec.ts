import type { z } from "zod";
import type { Base } from "../base.js";
import { baseFields, type Experiment, experimentSchema } from "../options/experiment.js";
import type { DataSource } from "../options.js";

/**
 * Everything that an experiment's results depend on besides its point: its options with their defaults, the base that the worker
 * has, and the SHA-256 of each data set in place of its path.
 *
 * @throws LadError `not-found`, `invalid-data` for data that cannot be read
 */
export async function experimentSpec(
  experiment: Experiment,
  base: Base,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { base: named, adapter, training, evaluation } = experimentSchema.parse(experiment);
  const content = async (data: DataSource) => ({ sha256: (await base.dataset(data, { signal })).id });
  const { validation } = training;
  const spec = {
    base: baseSpec(named, base),
    adapter: { ...adapter },
    training: {
      ...training,
      data: await content(training.data),
      validation: validation && { ...validation, data: await content(validation.data) },
    },
    evaluation: evaluation && { ...evaluation, data: await content(evaluation.data) },
  };
  for (const path of Object.keys(experiment.sweep?.axes ?? { "adapter.rank": [] }))
    remove(spec, path.split("."));
  return spec;
}

/** The base as the worker has it, since a name may mean another base later: a branch moves, or a folder's files change. */
function baseSpec(given: z.output<typeof baseFields> | string, { info }: Base) {
  const options = typeof given === "string" ? baseFields.parse({ name: given }) : given;
  return { ...options, revision: info.revision, dataType: info.dataType };
}

/** Removes an option whose value an axis sets. */
function remove(target: Record<string, unknown>, [key = "", ...rest]: readonly string[]): void {
  if (rest.length === 0) delete target[key];
  else remove(target[key] as Record<string, unknown>, rest);
}
