/** The text of an answer that is sent piece by piece, and never taken back. */
import { LadError } from "../../errors.js";

/** What a letter decodes to whose last bytes have not come. */
const PART_OF_A_LETTER = /\uFFFD+$/;

/** Holds back what may still turn out to be a part of a letter, or the beginning of a stop string. */
export class GrowingText {
  readonly #stop: readonly string[];
  #sent = "";

  constructor(stop: readonly string[] = []) {
    this.#stop = stop;
  }

  /** What may be sent now, of a text that is final so far as it goes. */
  more(final: string): string {
    const whole = final.replace(PART_OF_A_LETTER, "");
    if (this.#stop.some((string) => whole.includes(string))) return "";
    return this.#send(whole.slice(0, whole.length - this.#begun(whole)));
  }

  /** What is left to be sent of the finished text. */
  rest(text: string): string {
    if (text.startsWith(this.#sent)) return this.#send(text);
    throw new LadError("internal", "The answer does not begin with what was sent of it as final.");
  }

  #send(text: string): string {
    const piece = text.slice(this.#sent.length);
    if (piece !== "") this.#sent = text;
    return piece;
  }

  /** How many characters at the end could begin a stop string. */
  #begun(text: string): number {
    const longest = Math.max(0, ...this.#stop.map(({ length }) => length - 1));
    for (let count = Math.min(longest, text.length); count > 0; count--) {
      if (this.#stop.some((string) => string.startsWith(text.slice(-count)) && string.length > count))
        return count;
    }
    return 0;
  }
}
