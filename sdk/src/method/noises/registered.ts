/** Every noise that there is: its builder, its options, and what it is when it is complete. */
import { drawnNoises } from "./drawn.js";
import { ownDraft } from "./own-draft.js";

export { type Cover, type CoverOptions, cover } from "./cover.js";
export type { DrawnNoise, DrawnNoiseInput, DrawnNoiseKind } from "./drawn.js";
export { type Fixed, type FixedOptions, fixed } from "./fixed.js";
export { type Lad, type LadOptions, lad } from "./lad.js";
export { type MaskOnly, type MaskOnlyOptions, maskOnly, type TimedOptions } from "./mask-only.js";
export { type NoNoise, noNoise } from "./none.js";
export { type OwnDraft, type OwnDraftOptions, ownDraft } from "./own-draft.js";
export { type Uniform, type UniformOptions, uniform } from "./uniform.js";

/** The builders of all noises, by the names that options know them by. */
export const noises = {
  ...drawnNoises,
  /** What the model itself writes from one of the others. */
  "own-draft": ownDraft,
} as const;
