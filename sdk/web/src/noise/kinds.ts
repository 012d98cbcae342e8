/** The kinds of noise, as they are called on the page. */
import type { NoiseKind } from "../../../src/demo/messages.js";

export const KINDS: readonly (readonly [NoiseKind, string, string])[] = [
  ["masked", "Masks", "the share of the tokens that is hidden"],
  ["swapped", "Swaps", "with this probability neighbours change places"],
  ["duplicated", "Duplications", "with this probability a token becomes a copy of its neighbour"],
  ["shifted", "Span shift", "with this probability a span is copied elsewhere"],
];

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
