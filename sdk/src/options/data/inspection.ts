/** What `base.inspect` takes. */
import { check } from "../../checks/check.js";
import { integer, seed } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import { type CallOptions, callShape } from "../call.js";
import { type WindowOptions, windowShape } from "../data.js";
import { checkSource, type DataSource } from "../data-source.js";
import { checkLossFits, type LossInput, lossSchema } from "../loss.js";
import { type NoiseInput, noiseSchema } from "../noise.js";

/** Options of `base.inspect`: those of the training that is planned. */
export interface InspectOptions extends WindowOptions, CallOptions {
  /** How answers are corrupted; under `own-draft` by the noise that the model drafts from. Default: `lad`. */
  noise?: NoiseInput | undefined;
  /** Which tokens are supervised, with what weight. Default: `all-tokens`. */
  loss?: LossInput | undefined;
  /** Keys the noise, as in `train`: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
  /** How many examples are noised, evenly spaced over the data: an integer from 1 to 1,000,000. Default: 1000. */
  noisedExamples?: number | undefined;
  /** How many of them are shown: an integer from 0 to 64, at most `noisedExamples`. Default: 3. */
  shownExamples?: number | undefined;
}

export const inspectFields = fieldsOf<InspectOptions>()({
  ...windowShape,
  noise: noiseSchema.default(() => noiseSchema.parse("lad")),
  loss: lossSchema.default(() => lossSchema.parse({})),
  seed: seed().default(0n),
  noisedExamples: integer(1, 1_000_000).default(1000),
  shownExamples: integer(0, 64).default(3),
  ...callShape,
});

/** @throws LadError `invalid-option` */
export function checkInspect(data: DataSource, options: InspectOptions) {
  const source = checkSource(data);
  const { signal, timeoutMs, ...asked } = check(inspectFields, options);
  checkLossFits(asked.loss, asked.noise);
  return { source, asked, signal, timeoutMs };
}

export type CheckedInspection = ReturnType<typeof checkInspect>["asked"];
