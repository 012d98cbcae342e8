/** The position of the first stop token; `ids.length` where there is none. */
export function endOfAnswer(ids: readonly number[], stopTokenIds: readonly number[]): number {
  const end = ids.findIndex((id) => stopTokenIds.includes(id));
  return end < 0 ? ids.length : end;
}
