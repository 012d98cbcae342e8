/** Every claim, in the order of a report. */
import { accuracy } from "./accuracy.js";
import { better } from "./better.js";
import type { Claim } from "./claim.js";
import { iterations } from "./iterations.js";
import { lowerCe } from "./lower-ce.js";
import { refineOrRemask } from "./refine-or-remask.js";
import { speculation } from "./speculation.js";
import { structuralNoise } from "./structural-noise.js";

export const claims: readonly Claim[] = [
  lowerCe,
  accuracy,
  iterations,
  refineOrRemask,
  structuralNoise,
  speculation,
  better,
];
