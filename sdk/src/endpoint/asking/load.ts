/** How many answers are being written, up to a limit. */
import { invalidOption } from "../../errors.js";
import { Refusal } from "../../http/refusal.js";

/** When a client that was turned away may come again. */
const RETRY_AFTER_MS = 1000;

/** The answers that are being written. */
export class Load {
  readonly #most: number;
  #now = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Counts a request's answers, until what is returned is disposed of.
   *
   * @throws Refusal 429 where there are not so many places left; LadError `invalid-option` where there never are
   */
  enter(answers: number): Disposable {
    if (answers > this.#most) {
      const problem = `the request asks for ${answers} answers, and this server writes ${this.#most} at once`;
      throw invalidOption("n", answers, problem, "Ask for fewer, or in several requests.");
    }
    if (this.#now + answers > this.#most) {
      const text = `${this.#now} answers are being written, of at most ${this.#most}. Try again in a second.`;
      throw new Refusal(429, "busy", text, { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#now += answers;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (!left) this.#now -= answers;
        left = true;
      },
    };
  }
}
