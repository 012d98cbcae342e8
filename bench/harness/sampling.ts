/** How our samplers answer, as the worker is told it. */
import { check } from "../../sdk/src/checks/check.js";
import { SamplingSpec } from "../../sdk/src/gen/lad/v1/sampling.js";
import {
  ANSWER_TOKENS,
  checkSpec,
  type SamplingOptions,
  specFields,
} from "../../sdk/src/options/sampling.js";
import { toSampling } from "../../sdk/src/wire.js";

/** The message of the specification that these options make, in base64. */
export function samplingMessage(options: SamplingOptions): string {
  const spec = checkSpec(check(specFields, options), {}, false, () => {});
  const { attention = "full", answerTokens = ANSWER_TOKENS, canvasTokens = 0 } = spec;
  const message = toSampling({
    ...spec,
    attention,
    context: "prompt",
    answerTokens,
    canvasTokens,
    windowTokens: 0,
    padTokens: [],
  });
  return Buffer.from(SamplingSpec.encode(message).finish()).toString("base64");
}
