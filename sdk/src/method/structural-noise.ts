/**
 * The structural part of `lad` noise: tokens that travel, are doubled, or overwrite others.
 *
 * Each function returns new cells and takes its random numbers as an argument. Stretches are the [start, end) ranges of cells that stand
 * side by side in the window; nothing crosses from one stretch to another, and an answer of one turn is one stretch.
 */

/** A token, and whether it shows MASK: a state that travels with it. */
export interface Cell {
  readonly id: number;
  readonly masked: boolean;
}
export type Cells = readonly Cell[];
export type Stretch = readonly [start: number, end: number];

/** The stretches of neighbouring window positions, as ranges of their indices: [3, 4, 5, 9] → [[0, 3], [3, 4]]. */
export function stretchesOf(positions: readonly number[]): Stretch[] {
  const stretches: Stretch[] = [];
  let start = 0;
  for (let i = 1; i <= positions.length; i++) {
    if (i < positions.length && positions[i] === (positions[i - 1] as number) + 1) continue;
    stretches.push([start, i]);
    start = i;
  }
  return stretches;
}

/** Each adjacent pair, left to right, changes places where its left cell's number is below `probability`; tokens can travel. */
export function swap(
  cells: Cells,
  stretches: readonly Stretch[],
  uniforms: Float64Array,
  probability: number,
): Cells {
  const moved = [...cells];
  for (const [start, end] of stretches) {
    for (let i = start; i < end - 1; i++) {
      if ((uniforms[i] as number) >= probability) continue;
      const left = moved[i] as Cell;
      moved[i] = moved[i + 1] as Cell;
      moved[i + 1] = left;
    }
  }
  return moved;
}

/**
 * Cells whose `chosen` number is below `probability` become copies of a neighbour: the left one where `sides` is below ½. All
 * left copies are taken at once, then all right copies from what that left; a copy past a stretch's edge is skipped.
 */
export function duplicate(
  cells: Cells,
  stretches: readonly Stretch[],
  chosen: Float64Array,
  sides: Float64Array,
  probability: number,
): Cells {
  const isChosen = (i: number) => (chosen[i] as number) < probability;
  const fromLeft = (i: number) => (sides[i] as number) < 0.5;
  const left = [...cells];
  for (const [start, end] of stretches) {
    for (let i = start + 1; i < end; i++) if (isChosen(i) && fromLeft(i)) left[i] = cells[i - 1] as Cell;
  }
  const copied = [...left];
  for (const [start, end] of stretches) {
    for (let i = start; i < end - 1; i++) if (isChosen(i) && !fromLeft(i)) copied[i] = left[i + 1] as Cell;
  }
  return copied;
}

/**
 * One span of 1…`maxSpan` cells is copied 1…`maxShift` places to a side, clamped to its stretch, over what is there.
 *
 * @param uniforms - which cell picks the stretch, the span's length, its start, the distance, the side (left below ½)
 */
export function shift(
  cells: Cells,
  stretches: readonly Stretch[],
  uniforms: Float64Array,
  { maxSpan, maxShift }: { readonly maxSpan: number; readonly maxShift: number },
): Cells {
  const [pick, length, place, distance, side] = uniforms as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  const picked = Math.floor(pick * cells.length);
  const [start, end] = stretches.find((stretch) => picked < stretch[1]) as Stretch;
  const span = Math.min(1 + Math.floor(length * maxSpan), end - start);
  const source = start + Math.floor(place * (end - start - span + 1));
  const step = 1 + Math.floor(distance * maxShift);
  const target = Math.min(Math.max(side < 0.5 ? source - step : source + step, start), end - span);
  const shifted = [...cells];
  for (let i = 0; i < span; i++) shifted[target + i] = cells[source + i] as Cell;
  return shifted;
}
