import { isLadError } from "../errors.js";

/**
 * Outcomes after which nobody here knows the worker's last number: whether it computed the call is uncertain, or (invalid-state)
 * it has given up one before it whose outcome was.
 */
const UNCERTAIN: ReadonlySet<string> = new Set(["cancelled", "timeout", "unavailable", "invalid-state"]);

/**
 * Numbers the calls that change one adapter, so that a call that is sent again is not computed again.
 *
 * Calls go out one after another, in the order in which they were made. A call that the worker refused gives its number back;
 * after one whose outcome is not known, the worker is asked for its last number.
 */
export class Sequence {
  readonly #ask: () => Promise<number>;
  #last: number | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /** `last`: the worker's last number. `ask` asks for it. */
  constructor(last: number, ask: () => Promise<number>) {
    this.#last = last;
    this.#ask = ask;
  }

  /** Sends a call with its number, once those before it have ended. */
  next<Reply>(send: (sequence: bigint) => Promise<Reply>): Promise<Reply> {
    const reply = this.#queue.then(() => this.#send(send));
    this.#queue = reply.catch(() => {});
    return reply;
  }

  async #send<Reply>(send: (sequence: bigint) => Promise<Reply>): Promise<Reply> {
    const number = (this.#last ?? (await this.#ask())) + 1;
    this.#last = number - 1;
    try {
      const reply = await send(BigInt(number));
      this.#last = number;
      return reply;
    } catch (error) {
      if (isLadError(error) && UNCERTAIN.has(error.code)) this.#last = undefined;
      throw error;
    }
  }
}
