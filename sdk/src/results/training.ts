/**
 * Losses in nats. `loss` is what is optimised; every `ce` is a plain mean of −log p(the clean token) over one kind of the supervised
 * tokens, NaN over none. ln(vocabulary) is a guess at random, 0 certainty.
 *
 * Most supervised tokens may be shown as they are (with `supervise: "all-tokens"` the prompt too), and copying those is easy: how well
 * corrupted answers are repaired is in `corruptedCe`, and of it `corruptedContentCe` leaves out the tail, which is easy as well.
 */
export interface LossReport {
  /** Σ weight · CE over the batch, with the weights of `loss.weighting`. */
  readonly loss: number;
  /** Over every supervised token. */
  readonly ce: number;
  /** Over those that are no padding: the answer with the EOS that ends it, and the prompt where that is supervised. */
  readonly contentCe: number;
  /** Over the padding behind the answer, EOS throughout. */
  readonly tailCe: number;
  /** Over those whose input was corrupted, tail included. */
  readonly corruptedCe: number;
  /** Over those whose input was corrupted, without the tail. */
  readonly corruptedContentCe: number;
  /** All tokens computed. */
  readonly tokens: number;
  /** Tokens that `loss` and `ce` are over. */
  readonly supervisedTokens: number;
  /** Tokens that `contentCe` is over. */
  readonly contentTokens: number;
  /** Tokens that `tailCe` is over. */
  readonly tailTokens: number;
  /** Tokens that `corruptedCe` is over. */
  readonly corruptedTokens: number;
  /** Tokens that `corruptedContentCe` is over. */
  readonly corruptedContentTokens: number;
}
