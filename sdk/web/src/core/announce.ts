/** What a screen reader is told, once a run is over and not while it goes on. */
import { signal } from "@preact/signals";

export const announced = signal("");

export function announce(text: string): void {
  announced.value = text;
}
