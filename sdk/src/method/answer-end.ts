/** Where an answer ends: at a stop token, and before a stop string. */

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

/** The most stop strings of a run, and the most characters of each. */
export const MAX_STOP_STRINGS = 16;
export const MAX_STOP_CHARACTERS = 256;

/** A stop string in a text, from `start` up to `end`. */
export interface FoundStop {
  readonly string: string;
  readonly start: number;
  readonly end: number;
}

/** An answer up to a stop string. The last token may go on with the beginning of the string, which the text lacks. */
export interface CutAnswer {
  readonly ids: readonly number[];
  readonly text: string;
  /** Undefined: it holds none. */
  readonly stop: string | undefined;
}

/**
 * Of all stop strings in the text the one that is complete first; of several that end there, the longest.
 *
 * What follows in the text changes nothing about it, so that an answer that is written on ends where the finished one does.
 */
export function firstStopString(text: string, stop: readonly string[]): FoundStop | undefined {
  return stop
    .map((string) => ({ string, start: text.indexOf(string) }))
    .filter(({ start }) => start >= 0)
    .map((found) => ({ ...found, end: found.start + found.string.length }))
    .reduce<FoundStop | undefined>((first, one) => (first && !isBefore(one, first) ? first : one), undefined);
}

function isBefore(a: FoundStop, b: FoundStop): boolean {
  return a.end < b.end || (a.end === b.end && a.start < b.start);
}

/** An answer's text up to its first stop string, and the fewest of its tokens that hold that text. */
export async function cutAtStop(
  ids: readonly number[],
  stop: readonly string[],
  decode: (ids: readonly number[]) => Promise<string>,
): Promise<CutAnswer> {
  const text = await decode(ids);
  const found = firstStopString(text, stop);
  if (found === undefined) return { ids, text, stop: undefined };
  const kept = text.slice(0, found.start);
  let [fewest, enough] = [0, ids.length];
  while (fewest < enough) {
    const middle = (fewest + enough) >> 1;
    if ((await decode(ids.slice(0, middle))).startsWith(kept)) enough = middle;
    else fewest = middle + 1;
  }
  return { ids: ids.slice(0, enough), text: kept, stop: found.string };
}
