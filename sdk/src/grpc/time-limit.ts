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
    return this.#watch(`The call ${path}`, late);
  }

  /** A signal that is aborted with the error `timeout` when the time is up, and the function that ends the watch. */
  signal(what: string): { signal: AbortSignal; release: () => void } {
    const end = new AbortController();
    return { release: this.#watch(what, (reason) => end.abort(reason)), signal: end.signal };
  }

  #watch(what: string, late: (reason: LadError) => void): () => void {
    const restMs = this.#endsAt - performance.now();
    if (restMs === Number.POSITIVE_INFINITY) return () => {};
    if (restMs <= 0) {
      late(timedOut(what, this.#timeoutMs));
      return () => {};
    }
    const timer = setTimeout(() => late(timedOut(what, this.#timeoutMs)), restMs);
    timer.unref();
    return () => clearTimeout(timer);
  }
}

/** The error of what took too long: `The run run-1 took longer than 5000 ms.` */
export function timedOut(what: string, timeoutMs: number): LadError {
  return new LadError("timeout", `${what} took longer than ${timeoutMs} ms.`, {
    option: "timeoutMs",
    value: timeoutMs,
    remedy: "Give a longer timeoutMs (0: none), or ask for less at once.",
  });
}
