/** How much of an answer is final before it is done (docs/method.md §6). */
import { check } from "../checks/check.js";
import { policyDefinition } from "../method/policy.js";
import { type PolicyInput, policySchema } from "../options/sampling/policy.js";
import type { Frame } from "../results/sampling.js";

/**
 * When a policy's tokens are final. `written`: as they come, from left to right; `committed`: some before the answer is done; `end`: with the
 * answer, unless they are pinned or their canvas is done (`canvasTokens`).
 */
export type Finality = "written" | "committed" | "end";

/**
 * When the tokens of a policy are final.
 *
 * @throws LadError `invalid-option` for what is no policy
 */
export function finalityOf(policy: PolicyInput): Finality {
  const complete = check(policySchema, policy, "policy");
  const { denoising } = policyDefinition(complete.kind);
  if (denoising === undefined) return "written";
  const commits = denoising.changesVisible === false || denoising.keepsForGood?.(complete) === true;
  return commits ? "committed" : "end";
}

/**
 * How many of a frame's first tokens (`frame.answer`) no later iteration changes: accepted by the check, committed, locked, pinned, or of a
 * canvas that is done. A reader who shows no others takes nothing back.
 *
 * @param policy - that of the run
 * @throws LadError `invalid-option` for what is no policy
 */
export function finalTokens(frame: Frame, policy: PolicyInput): number {
  const { state, answer } = frame;
  if (state === undefined || state.stopped !== undefined) return answer.length;
  const complete = check(policySchema, policy, "policy");
  const { denoising } = policyDefinition(complete.kind);
  const standsForGood = denoising?.changesVisible === false;
  const keepsForGood = denoising?.keepsForGood?.(complete) === true;
  const isFinal = (p: number) =>
    p < state.finished ||
    state.pinned[p] === true ||
    (standsForGood && state.masked[p] === false) ||
    (keepsForGood && state.kept[p] === true);
  const open = answer.findIndex((_, p) => !isFinal(p));
  return open < 0 ? answer.length : open;
}
