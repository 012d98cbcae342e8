import { isLadError } from "../errors.js";

/**
 * The errors after which this side does not know the worker's last number: either it is uncertain whether the worker computed the
 * call, or (invalid-state) the worker has given up an earlier call with an uncertain outcome.
 */
const UNCERTAIN: ReadonlySet<string> = new Set(["cancelled", "timeout", "unavailable", "invalid-state"]);

/**
 * Numbers the calls that change one adapter, so that a repeated call is not computed twice.
 *
 * Calls are sent one after another in order. If the worker rejects a call, its number is used again; if a call's outcome is unknown,
 * the worker is asked for its last number.
 */
export class Sequence {
  readonly #ask: () => Promise<number>;
  #last: number | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /** `last` is the worker's last number; `ask` asks the worker for it. */
  constructor(last: number, ask: () => Promise<number>) {
    this.#last = last;
    this.#ask = ask;
  }

  /** Sends a call with its number once the earlier ones have ended. */
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
