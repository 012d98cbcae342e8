/** The questions of a session, to go back to. */
import type { Turns } from "../core/turns.js";

export function Earlier({ turns }: { turns: Turns }) {
  if (turns.all.value.length < 2) return null;
  return (
    <nav class="turns" aria-label="Questions of this session">
      <ol>
        {turns.all.value.map(({ asked, lanes }, number) => (
          <li key={number}>
            <button
              type="button"
              class="turn"
              aria-current={number === turns.shown.value ? "true" : undefined}
              onClick={() => turns.show(number)}
            >
              <span>{asked.question}</span>
              <small>{lanes[0]?.answer.value?.text || "…"}</small>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
