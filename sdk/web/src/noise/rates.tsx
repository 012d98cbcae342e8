/** How often each token is corrupted: a bar for each kind of noise by itself, and all of them together as a line. */
import type { NoiseReply } from "../../../src/demo/messages.js";
import { KINDS, percent } from "./kinds.js";

const HEIGHT = 40;
const BAR = 5;
const WIDTH = KINDS.length * (BAR + 1) + 1;

export function Rates({ reply: { clean, rates, kinds } }: { reply: NoiseReply }) {
  return (
    <>
      <p class="about rate-keys">
        {KINDS.map(([kind, name]) => (
          <span key={kind} class={`rate-key ${kind}`}>
            {name}
          </span>
        ))}
        <span class="rate-key together">all together</span>
      </p>
      <ol class="rates" aria-label="How often each token is corrupted">
        {clean.pieces.map((text, position) => {
          const rate = rates[position] ?? 0;
          return (
            <li key={position}>
              <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
                {KINDS.map(([kind], index) => {
                  const height = HEIGHT * (kinds[kind]?.[position] ?? 0);
                  const x = 1 + index * (BAR + 1);
                  return (
                    <rect key={kind} class={kind} x={x} y={HEIGHT - height} width={BAR} height={height} />
                  );
                })}
                <line x1={0} x2={WIDTH} y1={HEIGHT * (1 - rate)} y2={HEIGHT * (1 - rate)} />
              </svg>
              <span class="rate-text">{text.trim() || "␣"}</span>
              <span class="unseen">{`: ${said(kinds, position, rate)}`}</span>
            </li>
          );
        })}
      </ol>
    </>
  );
}

function said(kinds: NoiseReply["kinds"], position: number, rate: number): string {
  const each = KINDS.flatMap(([kind, name]) => {
    const of = kinds[kind]?.[position];
    return of === undefined ? [] : [`${name.toLowerCase()} ${percent(of)}`];
  });
  return [`together ${percent(rate)}`, ...each].join(", ");
}
