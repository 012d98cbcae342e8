/** How many requests are being answered, up to a limit. */
import { Refusal } from "../../http/refusal.js";

/** When a client that was turned away may come again. */
const RETRY_AFTER_MS = 1000;

/** The requests that are being answered. */
export class Load {
  readonly #most: number;
  #now = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Counts a request, until what is returned is disposed of.
   *
   * @throws Refusal 429 where there are as many as may be
   */
  enter(): Disposable {
    if (this.#now >= this.#most) {
      const text = `${this.#now} requests are being answered, as many as this server takes. Try again in a second.`;
      throw new Refusal(429, "busy", text, { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#now++;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (!left) this.#now--;
        left = true;
      },
    };
  }
}
