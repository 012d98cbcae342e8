/** Eight requests at once, 64 tokens of prompt and 64 of answer each, against lad-generic's one after another. */
import { type Figure, LAD_GENERIC } from "../harness/figure.js";
import { denoised } from "../harness/lad-generic.js";

const REQUESTS = 8;
const ITERATIONS = 16;

export const samplingConcurrent: Figure = {
  about: "eight requests at once, against RuurdKuiper/lad-generic one by one",
  base: "smollm2-135m",
  takes: ["profile", "device", "attention"],
  against: LAD_GENERIC,
  measure: (bench) =>
    denoised(bench, {
      requests: REQUESTS,
      iterations: ITERATIONS,
      unit: { name: "answers/s", better: "higher", of: ({ seconds }) => REQUESTS / seconds },
    }),
};
