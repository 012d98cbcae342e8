import type { Noise, NoiseKind } from "../../../sdk/src/method/noise.js";
import { noises } from "../../../sdk/src/method/noises/registered.js";

/** The noise of a golden case, which writes out the options of all noises. */
export function goldenNoise(written: { readonly kind: string }): Noise {
  const noise = noises[written.kind as NoiseKind]();
  const own = Object.keys(noise).map((key) => [key, written[key as keyof typeof written]]);
  return Object.fromEntries(own) as unknown as Noise;
}
