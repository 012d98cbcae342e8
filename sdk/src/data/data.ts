/** The data sets of sources, mixtures too, on the worker. */
import type { Client } from "../client.js";
import type { CheckedSource, Dataset } from "../options.js";
import { mix } from "./mixing.js";
import { openSource } from "./sources.js";

/**
 * The data set of a source, which is uploaded, opened or mixed if the worker does not have it.
 *
 * @param baseId - whose tokens limit lengths in a mixture
 * @throws LadError `not-found` for a missing file, `invalid-data` with the line for an example that cannot be read
 */
export async function openDataset(
  client: Client,
  source: CheckedSource,
  signal?: AbortSignal,
  baseId = "",
): Promise<Dataset> {
  if (!("mixture" in source)) return openSource(client, source, signal);
  const { dataset } = await mix(client, source.mixture, baseId, signal);
  return dataset;
}
