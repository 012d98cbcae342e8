import { LadError } from "../errors.js";

/** A caller's `timeoutMs`, which starts when it is made and covers all calls of one method together. */
export class TimeLimit {
  readonly #timeoutMs: number;
  readonly #endsAt: number;

  /** @param timeoutMs - 0 and Infinity: no limit */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : timeoutMs;
    this.#endsAt = performance.now() + this.#timeoutMs;
  }

  /** Calls `late` with the error `timeout` when the time is up, or at once if it already is. Returns the function that ends it. */
  watch(path: string, late: (reason: LadError) => void): () => void {
    const restMs = this.#endsAt - performance.now();
    if (restMs === Number.POSITIVE_INFINITY) return () => {};
    if (restMs <= 0) {
      late(timedOut(path, this.#timeoutMs));
      return () => {};
    }
    const timer = setTimeout(() => late(timedOut(path, this.#timeoutMs)), restMs);
    timer.unref();
    return () => clearTimeout(timer);
  }
}

/** The error of a call that took too long. */
export function timedOut(path: string, timeoutMs: number): LadError {
  return new LadError("timeout", `The call ${path} took longer than ${timeoutMs} ms.`, {
    option: "timeoutMs",
    value: timeoutMs,
    remedy: "Give a longer timeoutMs (0: none), or ask for less at once.",
  });
}
