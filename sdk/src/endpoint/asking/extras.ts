/** The fields that this endpoint adds to every API: what only a model that denoises can do. */
import { z } from "zod";
import { filledText, flag, integer, list, number, oneOf } from "../../checks/fields.js";
import { type AnswerPiece, draftOf, gap, type PolicyInput, policies } from "../../index.js";

const PIECE = 'text, { "gap": 6 }, { "up_to": 6 } or { "draft": "…" }';
const tokens = integer(1, 1024);

const piece = z.union(
  [
    filledText(PIECE),
    z.strictObject({ gap: tokens }).transform(({ gap: count }) => gap(count)),
    z.strictObject({ up_to: tokens }).transform(({ up_to }) => gap({ upTo: up_to })),
    z.strictObject({ draft: filledText(PIECE) }).transform(({ draft }) => draftOf(draft)),
  ],
  { error: PIECE },
);

const kinds = Object.keys(policies) as [keyof typeof policies, ...(keyof typeof policies)[]];
const kind = oneOf(kinds);

/** Its own options are checked where the call is. */
const policy = z.union([kind, z.looseObject({ kind })], { error: "a policy's name, or { kind, … }" });

/** The schema of each, for the bodies of all APIs. */
export const extraShape = {
  policy: policy.optional(),
  iterations: integer(1).optional(),
  draft: filledText().optional(),
  strength: number(0, 1).optional(),
  pins: list(piece, "a list of pieces, from 1 to 2048", 2048).optional(),
  top_k: integer(0).optional(),
  frames: flag().default(false),
};

/** The fields, as they are read. */
export interface Extras {
  readonly policy?: z.output<typeof policy> | undefined;
  readonly iterations?: number | undefined;
  readonly draft?: string | undefined;
  readonly strength?: number | undefined;
  readonly pins?: readonly AnswerPiece[] | undefined;
  readonly top_k?: number | undefined;
  readonly frames: boolean;
}

/** The policy that a request asks for, with its iterations; otherwise the model's own. */
export function policyOf({ policy: asked, iterations }: Extras, own: PolicyInput): PolicyInput {
  const chosen = asked ?? own;
  if (iterations === undefined) return chosen as PolicyInput;
  return { ...(typeof chosen === "string" ? { kind: chosen } : chosen), iterations } as PolicyInput;
}
