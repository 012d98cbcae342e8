/** What answers took. */
import type { Measure } from "./measure.js";
import { type Ratio, ratioOfSums } from "./shares.js";

/** Forwards an answer, on average. */
export const forwards: Measure<Ratio> = {
  label: "forwards",
  unit: "forwards",
  needs: "answers",
  interval: "bootstrap",
  item: ({ answer }) => [answer.iterations, 1],
  figure: ratioOfSums,
};

/** Tokens of the answers, each with its first stop token, over the forwards of all of them. */
export const tokensPerForward: Measure<Ratio> = {
  label: "tokens a forward",
  unit: "tokens",
  needs: "answers",
  interval: "bootstrap",
  item: ({ answer }) => [Math.min(answer.ids.length + 1, answer.canvasIds.length), answer.iterations],
  figure: ratioOfSums,
};
