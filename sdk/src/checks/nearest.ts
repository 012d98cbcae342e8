/**
 * The candidate nearest to a mistyped word by edit distance, or undefined if none is near: at most a third of the word's letters
 * (at least one, two from four letters on) may differ. Case is ignored.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MOST_LETTERS) return undefined;
  const limit = Math.max(word.length >= 4 ? 2 : 1, Math.floor(word.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `Did you mean …? `, to begin a remedy with; empty where no candidate is near. */
export function guessOf(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `Did you mean ${near}? `;
}

/** Of a word that may be a slip of a name. */
const MOST_LETTERS = 200;

/**
 * The number of insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). It is written here because
 * fastest-levenshtein and leven count a swap, the commonest slip, as two edits.
 */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, at(before, j - 2) + 1);
      }
      current.push(distance);
    }
    before = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
