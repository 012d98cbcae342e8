/** The base's own probabilities of the tokens of an answer that it wrote or checked. */
import { invalidOption } from "../../errors.js";
import { type FrozenBase, finalityOf, type PolicyInput } from "../../index.js";

/** A token with its probability. */
export interface Probable {
  readonly token: string;
  /** In nats, at temperature 1, given all that stands before it. */
  readonly logprob: number;
}

/** A token of an answer. */
export interface TokenLogprob extends Probable {
  /** The most probable ones there, most probable first, as many as were asked for. */
  readonly top: readonly Probable[];
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

/** Of each token, the log probability under the base, and the `top` most probable ones. */
export async function logprobsOf(
  base: FrozenBase,
  prompt: readonly number[],
  answer: readonly number[],
  top: number,
  signal: AbortSignal,
): Promise<TokenLogprob[]> {
  if (answer.length === 0) return [];
  const [scores, pieces, tops] = await Promise.all([
    base.score({ items: [{ ids: prompt, continuation: answer }], signal }),
    base.pieces(answer, { special: false, signal }),
    top === 0 ? [] : topsOf(base, prompt, answer, top, signal),
  ]);
  const logprobs = scores[0]?.tokenLogLikelihoods ?? new Float32Array();
  return pieces.map((token, position) => ({
    token,
    logprob: logprobs[position] ?? Number.NaN,
    top: tops[position] ?? [],
  }));
}

/** The most probable tokens at each position of the answer. A causal model predicts a token at the position before it. */
async function topsOf(
  base: FrozenBase,
  prompt: readonly number[],
  answer: readonly number[],
  top: number,
  signal: AbortSignal,
): Promise<Probable[][]> {
  const ids = [...prompt, ...answer.slice(0, -1)];
  const canvases = [{ ids, answerStart: prompt.length - 1 }];
  const [prediction] = await base.predict({ canvases, attention: "causal", top, signal });
  const { topIds = [], topProbabilities = [] } = prediction ?? {};
  const texts = await base.decodeAll(
    topIds.map((id) => [id]),
    { special: true, signal },
  );
  return answer.map((_, position) =>
    Array.from({ length: top }, (_, rank) => {
      const at = position * top + rank;
      return { token: texts[at] ?? "", logprob: Math.log(topProbabilities[at] ?? Number.NaN) };
    }),
  );
}
