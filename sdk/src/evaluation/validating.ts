import type { Client } from "../client.js";
import { openDataset } from "../data/data.js";
import { warnOfSpecialTokens } from "../data/special-tokens.js";
import type { CheckedValidation } from "../options/training.js";
import type { SamplingTarget } from "../runs/sampling.js";
import {
  fromLossReport,
  fromWindowReport,
  type LossReport,
  numberOf,
  pb,
  present,
  TrainingService,
  toLoss,
  toNoise,
  toWindow,
  type WindowReport,
} from "../wire.js";

/** The losses on a data set, and each example's own where they were asked for. */
export interface Validated {
  readonly report: LossReport;
  readonly data: WindowReport;
  readonly examples: readonly ExampleLoss[];
}

/** Of one example's corrupted tokens that are supervised and not of the tail. */
export interface ExampleLoss {
  /** The sum of their CE, in nats. */
  readonly nats: number;
  /** How many they are. */
  readonly tokens: number;
}

/** One validation. */
export async function validateModel(
  client: Client,
  target: SamplingTarget,
  given: Omit<CheckedValidation, "timeoutMs">,
): Promise<Validated> {
  const {
    data,
    noise,
    loss,
    attention,
    context,
    canvasTokens,
    seed,
    maxExamples,
    perExample,
    signal,
    ...window
  } = given;
  const dataset = await openDataset(client, data, signal, target.baseId);
  const request = {
    ...target,
    datasetId: dataset.id,
    window: toWindow(window),
    noise: toNoise(noise),
    loss: toLoss(loss),
    attention: numberOf(pb.training.AttentionMode, attention),
    context: numberOf(pb.training.TrainingContext, context),
    canvasTokens,
    seed,
    maxExamples,
    perExample,
  };
  const reply = await client.call(TrainingService.validate, request, { signal });
  const windows = fromWindowReport(present(reply.windowReport, "ValidateResponse.window_report"));
  warnOfSpecialTokens(client, windows, window.allowSpecial);
  const { nats = [], tokens = [] } = reply.examples ?? {};
  return {
    report: fromLossReport(present(reply.report, "ValidateResponse.report")),
    data: windows,
    examples: nats.map((sum, i) => ({ nats: sum, tokens: tokens[i] ?? 0 })),
  };
}
