/** What an answer took. */
import type { ShownAnswer } from "../../../src/demo/messages.js";
import type { Lane } from "../core/lane.js";

export function Stats({ lane }: { lane: Lane }) {
  const answer = lane.answer.value;
  if (answer === undefined) {
    return <p class="stats">{lane.status.value === "running" ? "Denoising …" : ""}</p>;
  }
  const forwards = forwardsOf(answer);
  const seconds = answer.ms / 1000;
  const figures: [string, string][] = [
    ["tokens", String(answer.tokens)],
    ["forwards", String(forwards)],
    ["tokens a forward", (answer.tokens / forwards).toFixed(2)],
    ["tokens/s", seconds > 0 ? Math.round(answer.tokens / seconds).toLocaleString("en") : "–"],
    ["ended by", answer.stopped],
  ];
  return (
    <dl class="stats">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Of self-speculation, those of the adapter and of the base, with the prompt's own. */
function forwardsOf({ iterations, speculation }: ShownAnswer): number {
  if (speculation === undefined) return Math.max(1, iterations);
  return 1 + speculation.draftForwards + speculation.checkForwards;
}
