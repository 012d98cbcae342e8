/** A corrupted sentence, token by token. */
import type { NoiseReply } from "../../../src/demo/messages.js";

export function Drawn({ drawn: { pieces, masked, corrupted } }: { drawn: NoiseReply["drawn"] }) {
  return (
    <p class="canvas drawn">
      {pieces.map((text, index) =>
        masked[index] ? (
          <span key={index} class="token masked">
            {" "}
            <span aria-hidden="true">░░</span>
            <span class="unseen">masked</span>
          </span>
        ) : (
          <span key={index} class={`token${corrupted[index] ? " corrupted" : ""}`}>
            {text}
          </span>
        ),
      )}
    </p>
  );
}
