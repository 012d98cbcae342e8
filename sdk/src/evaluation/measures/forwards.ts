/** What answers took. */
import type { Answer } from "../../wire.js";
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
  item: ({ answer }) => [tokensOf(answer), answer.iterations],
  figure: ratioOfSums,
};

/** Tokens of an answer, with the stop token that ends it. */
export function tokensOf({ ids, canvasIds }: Answer): number {
  return Math.min(ids.length + 1, canvasIds.length);
}
