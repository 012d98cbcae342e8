/** The position of the first stop token; `ids.length` where there is none. */
export function endOfAnswer(ids: readonly number[], stopTokenIds: readonly number[]): number {
  const end = ids.findIndex((id) => stopTokenIds.includes(id));
  return end < 0 ? ids.length : end;
}

/**
 * The first position where a stop token may be sampled: after the last pinned token that is none; 0 without such a pin.
 */
export function firstStop(
  ids: readonly number[],
  pinned: readonly boolean[],
  stopTokenIds: readonly number[],
): number {
  return ids.findLastIndex((id, p) => pinned[p] === true && !stopTokenIds.includes(id)) + 1;
}
