/** What colours and marks of a canvas mean. */
import type { Mark } from "../core/cells.js";

const MARKS: readonly (readonly [Mark, string])[] = [
  ["masked", "not written yet: what it might be"],
  ["remasked", "masked again"],
  ["edited", "changed"],
  ["kept", "kept by the policy"],
  ["pinned", "pinned by you"],
  ["held", "held while a span is rewritten"],
  ["drafted", "of your draft"],
  ["accepted", "drafted and accepted"],
  ["own", "the base's own"],
  ["refused", "refused"],
];

export function Legend() {
  return (
    <details class="legend">
      <summary>Colours and marks</summary>
      <p>
        Confidence from low to high:{" "}
        {["c0", "c1", "c2", "c3", "c4"].map((level, index) => (
          <span key={level} class={`token ${level}`}>
            {index * 20}–{index * 20 + 20} %
          </span>
        ))}
      </p>
      <ul>
        {MARKS.map(([mark, text]) => (
          <li key={mark}>
            <span class={`token c3 ${mark}`}>word</span> {text}
          </li>
        ))}
        <li>
          <span class="token end">■</span> the answer's end, and <span class="token tail">·</span> what is
          behind it
        </li>
      </ul>
      <p>
        Click a word to pin it, double-click to type over it, drag over words to have them written again; by
        touch, tap and drag across. By keyboard: arrows move, with Shift they select; <kbd>P</kbd> pins,{" "}
        <kbd>T</kbd> types over, <kbd>R</kbd> rewrites, <kbd>U</kbd> undoes.
      </p>
    </details>
  );
}
