/** A lane's player: play, and a slider back and forth through the iterations. */
import type { Lane } from "../core/lane.js";

export function Player({ lane, name }: { lane: Lane; name: string }) {
  const entries = lane.entries.value;
  const entry = lane.entry.value;
  if (entry === undefined) return null;
  const last = entries.length - 1;
  const shown = lane.shown.value;
  const isPlaying = lane.isPlaying.value;
  const { iteration, iterations } = entry.frame;
  const text = entry.edit ? "your edit" : `iteration ${iteration + 1} of at most ${iterations}`;
  const toggle = () => {
    if (!isPlaying && shown === last) lane.shown.value = 0;
    lane.isPlaying.value = !isPlaying;
  };
  return (
    <div class="player">
      <button type="button" onClick={toggle} aria-label={`${isPlaying ? "Pause" : "Play"} ${name}`}>
        {isPlaying ? "Pause" : "Play"}
      </button>
      <input
        type="range"
        min={0}
        max={Math.max(last, 0)}
        value={shown}
        aria-label={`Iteration of ${name}`}
        aria-valuetext={text}
        onInput={(event) => {
          lane.isPlaying.value = false;
          lane.shown.value = event.currentTarget.valueAsNumber;
        }}
      />
      <span>{text}</span>
    </div>
  );
}
