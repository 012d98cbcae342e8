/** Has the worker inspect a data set. */
import type { Client } from "../client.js";
import type { CheckedInspection } from "../options.js";
import { fromInspection, type Inspection, TrainingService, toLoss, toNoise, toWindow } from "../wire.js";

export async function inspect(
  client: Client,
  { baseId, datasetId }: { readonly baseId: string; readonly datasetId: string },
  { noise, loss, seed, noisedExamples, shownExamples, ...window }: CheckedInspection,
  signal: AbortSignal | undefined,
): Promise<Inspection> {
  const request = {
    baseId,
    datasetId,
    window: toWindow(window),
    noise: toNoise(noise),
    loss: toLoss(loss),
    seed,
    noisedExamples,
    shownExamples,
  };
  return fromInspection(await client.call(TrainingService.inspectDataset, request, { signal }));
}
