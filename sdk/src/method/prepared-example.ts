/** One example as a base sees it: its window of token ids, and what each position is. */
export interface PreparedExample {
  /** Keys the example's noise: its own `id`, or its row number; in JSON, of those that the worker prepared, in decimal digits. */
  readonly id: bigint;
  /** Prompt, answer and tail. */
  readonly ids: readonly number[];
  /** 1 where a position is noised: the answer, its EOS and the tail. */
  readonly answer: Uint8Array;
  /** 1 where a position is padding behind the answer. */
  readonly tail: Uint8Array;
  /** How many times its loss counts: a number of at least 0; at 0 nothing of it is supervised. Default: 1. */
  readonly weight?: number | undefined;
  /** How many tokens stand before the canvas. Default: those before the first noised position. */
  readonly pastTokens?: number | undefined;
}

/** How many tokens stand before an example's canvas. */
export function pastTokensOf({ answer, pastTokens }: PreparedExample): number {
  return pastTokens ?? answer.indexOf(1);
}
