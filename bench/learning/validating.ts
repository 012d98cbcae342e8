/** How well a model repairs held-out answers: the same examples under the same noise for every adapter, whoever trained it. */
import { type DenoisingAttention, lad, type Model } from "../../sdk/src/index.js";
import { questionsOf } from "../decoding/adapters.js";
import type { NoiseName } from "./curve.js";

/** As many examples as lad-generic validates with. */
export const VALIDATION_EXAMPLES = 200;

/** What all validations of a figure share. */
export interface Validating {
  readonly windowTokens: number;
  readonly attention: DenoisingAttention;
}

/** CE of corrupted content tokens under each noise, in nats. */
export async function corruptedCe(
  model: Model,
  { windowTokens, attention }: Validating,
): Promise<Record<NoiseName, number>> {
  const under = async (tailNoise: boolean) => {
    const noise = lad({ tailNoise });
    const data = questionsOf("heldout");
    const maxExamples = VALIDATION_EXAMPLES;
    const loss = "all-answer-tokens";
    const { report } = await model.validate({ data, windowTokens, noise, loss, attention, maxExamples });
    return report.corruptedContentCe;
  };
  return { lad: await under(true), clearTail: await under(false) };
}
