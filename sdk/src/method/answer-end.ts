/** The position of the first stop token; `ids.length` where there is none. */
export function endOfAnswer(ids: readonly number[], stopTokenIds: readonly number[]): number {
  const end = ids.findIndex((id) => stopTokenIds.includes(id));
  return end < 0 ? ids.length : end;
}

/**
 * The first position where a stop token may be sampled: after the last pinned token of the answer's own, 0 without such a pin.
 *
 * @param tailTokenIds - the stop tokens, and what fills the tail behind them
 */
export function firstStop(
  ids: readonly number[],
  pinned: readonly boolean[],
  tailTokenIds: readonly number[],
): number {
  return ids.findLastIndex((id, p) => pinned[p] === true && !tailTokenIds.includes(id)) + 1;
}
