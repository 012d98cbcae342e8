/** How long a prompt may be beside the answer that is written behind it. */
import type { FrozenBase } from "../../frozen-base.js";
import { type Policy, policyDefinition } from "../../method/policy.js";
import { ANSWER_TOKENS } from "../../options.js";
import { Snapshot } from "../../snapshot.js";
import type { RunSampling } from "../options.js";
import type { ScoredModel } from "./scorer.js";

/** Of answers that fill a window of the training: a choice's letter and a few words. */
const SHORTEST_ANSWER_TOKENS = 16;

/** The most tokens that a prompt may have; none or fewer where the answer alone is too long for the base. */
export function promptRoom(model: ScoredModel, base: FrozenBase, { asked, complete }: RunSampling): number {
  const { maxPositions } = base.info;
  if (asked.answerTokens !== undefined) return maxPositions - asked.answerTokens;
  const window = trainedWindow(model, complete.policy as Policy);
  if (window === 0) return maxPositions - ANSWER_TOKENS;
  return window - Math.min(SHORTEST_ANSWER_TOKENS, Math.ceil(window / 2));
}

/** The windows of the training, which answers of no given length fill; 0 if they are not known, or do not matter to the policy. */
function trainedWindow(model: ScoredModel, policy: Policy): number {
  const isFree = policyDefinition(policy.kind).unused?.includes("attention") ?? false;
  return model instanceof Snapshot && !isFree ? (model.info.claims?.windowTokens ?? 0) : 0;
}
