/** Bits a byte, which models of different tokenizers can be compared by. */
import type { Measure } from "./measure.js";
import { nats } from "./perplexity.js";
import { type Ratio, ratioOfSums } from "./shares.js";

/** −log₂ p of the answers, their ends included, over the bytes of their texts in UTF-8. */
export const bitsPerByte: Measure<Ratio> = {
  label: "bits per byte",
  unit: "bits",
  needs: "likelihoods",
  interval: "bootstrap",
  item: ({ answer, scores }) => {
    const bytes = Buffer.byteLength(answer.text, "utf8");
    const [sum] = nats(scores) ?? [];
    return sum === undefined || bytes === 0 ? undefined : [sum / Math.LN2, bytes];
  },
  figure: ratioOfSums,
};
