/** The base's own probabilities of the tokens of an answer that it wrote or checked. */
import { invalidOption } from "../../errors.js";
import { type FrozenBase, finalityOf, type PolicyInput } from "../../index.js";

/** A token of an answer. */
export interface TokenLogprob {
  readonly token: string;
  /** In nats, at temperature 1, given all that stands before it. */
  readonly logprob: number;
}

/** @throws LadError `invalid-option` for a policy whose tokens the base neither writes nor checks */
export function requireLogprobs(policy: PolicyInput): void {
  if (finalityOf(policy) === "written") return;
  const kind = typeof policy === "string" ? policy : policy.kind;
  throw invalidOption(
    "logprobs",
    true,
    `of the policy ${kind} no token has a probability of its own, as it depends on tokens that came after it`,
    "Leave it out, or give policy ar or speculative, whose tokens are the base's.",
  );
}

/** Of each token, the log probability under the base. */
export async function logprobsOf(
  base: FrozenBase,
  prompt: readonly number[],
  answer: readonly number[],
  signal: AbortSignal,
): Promise<TokenLogprob[]> {
  if (answer.length === 0) return [];
  const [scores, pieces] = await Promise.all([
    base.score({ items: [{ ids: prompt, continuation: answer }], signal }),
    base.pieces(answer, { special: false, signal }),
  ]);
  const logprobs = scores[0]?.tokenLogLikelihoods ?? new Float32Array();
  return pieces.map((token, position) => ({ token, logprob: logprobs[position] ?? Number.NaN }));
}
