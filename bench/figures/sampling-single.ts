/** One iteration of one request: 64 tokens of prompt and 64 of answer, against lad-generic's `denoise_stream`. */
import { type Figure, LAD_GENERIC } from "../harness/figure.js";
import { denoised } from "../harness/lad-generic.js";

const ITERATIONS = 32;

export const samplingSingle: Figure = {
  about: "one denoising iteration of one request, against RuurdKuiper/lad-generic",
  base: "smollm2-135m",
  takes: ["profile", "device", "attention"],
  against: LAD_GENERIC,
  measure: (bench) =>
    denoised(bench, {
      requests: 1,
      iterations: ITERATIONS,
      unit: {
        name: "ms/iteration",
        better: "lower",
        of: ({ seconds }) => (1000 * seconds) / ITERATIONS,
      },
    }),
};
