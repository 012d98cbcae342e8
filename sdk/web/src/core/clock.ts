/** Plays lanes: shows their iterations one after another, at a pace that can be followed. */
import { signal } from "@preact/signals";
import type { Lane } from "./lane.js";

/** Iterations a second. */
export const PACES = { slow: 3, steady: 8, quick: 25, "as computed": 1000 } as const;
export type Pace = keyof typeof PACES;

export const pace = signal<Pace>("steady");

/** Advances the lanes that play with the browser's frames. Returns what ends that. */
export function play(lanes: () => readonly Lane[]): () => void {
  const due = new WeakMap<Lane, number>();
  let frame = 0;
  const tick = (now: number) => {
    for (const lane of lanes()) {
      if (!lane.isPlaying.value || now < (due.get(lane) ?? 0)) continue;
      due.set(lane, now + 1000 / PACES[pace.value]);
      if (!lane.advance()) lane.isPlaying.value = false;
    }
    frame = requestAnimationFrame(tick);
  };
  frame = requestAnimationFrame(tick);
  return () => cancelAnimationFrame(frame);
}
