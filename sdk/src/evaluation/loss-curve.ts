/** How well a model repairs each kind of corruption, level by level (docs/method.md §7). */
import type { Client } from "../client.js";
import { fixed } from "../method/noises/registered.js";
import type { DenoisingAttention } from "../options/attention.js";
import type { CheckedLossCurve, CorruptionKind } from "../options/evaluation/loss-curve.js";
import { lossSchema } from "../options/loss.js";
import type { SamplingTarget } from "../runs/sampling.js";
import type { WindowReport } from "../wire.js";
import { type Ratio, ratioOfSums } from "./measures/shares.js";
import { bootstrap } from "./statistics/bootstrap.js";
import type { Estimate } from "./statistics/estimate.js";
import { validateModel } from "./validating.js";

/** The losses of one kind of corruption at one level. */
export interface LossPoint {
  /** What was corrupted. */
  readonly kind: CorruptionKind;
  /** How much of it. */
  readonly level: number;
  /** CE in nats of a corrupted token of the answers' own, the tail apart; n counts the examples that have any. */
  readonly ce: Estimate;
  /** Those tokens. */
  readonly tokens: number;
}

/** Losses by kind and level of corruption. */
export interface LossCurve {
  /** Kind by kind, each level in the order given. */
  readonly points: readonly LossPoint[];
  /** How many examples fit the window. */
  readonly data: WindowReport;
}

type Given = Omit<CheckedLossCurve, "timeoutMs" | "attention"> & { readonly attention: DenoisingAttention };

export async function lossCurveOf(client: Client, target: SamplingTarget, given: Given): Promise<LossCurve> {
  const { kinds, levels, tailNoise, bootstrap: drawing, ...validation } = given;
  const whole = {
    ...validation,
    loss: lossSchema.parse({ supervise: "corrupted-answer-tokens" }),
    context: "prompt" as const,
    canvasTokens: 0,
    perExample: true,
  };
  const points: LossPoint[] = [];
  let data: WindowReport | undefined;
  for (const kind of kinds) {
    for (const level of levels) {
      const noise = fixed({ tailNoise, [kind]: level });
      const validated = await validateModel(client, target, { ...whole, noise });
      data = validated.data;
      const sums = validated.examples.flatMap(({ nats, tokens }): Ratio[] =>
        tokens === 0 ? [] : [[nats, tokens]],
      );
      const tokens = sums.reduce((total, [, each]) => total + each, 0);
      points.push({ kind, level, ce: bootstrap(sums, ratioOfSums, drawing), tokens });
    }
  }
  return { points, data: data as WindowReport };
}
