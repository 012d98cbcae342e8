import { cancelled } from "./errors.js";

/** Does work once for all callers that want its result at the same time. Aborts it when the last of them has left. */
export class SingleFlight<Result> {
  readonly #underWay = new Map<string, UnderWay<Result>>();

  /**
   * Joins the work under way under that name, or begins it, and returns its result.
   *
   * @param work - obeys the signal, which is aborted when no caller waits for the result any more
   * @param leave - ends the wait of this caller alone, with its reason
   */
  async join(
    name: string,
    work: (signal: AbortSignal) => Promise<Result>,
    leave: AbortSignal,
  ): Promise<Result> {
    if (leave.aborted) throw cancelled("The wait", leave);
    const joined = this.#underWay.get(name) ?? this.#begin(name, work);
    joined.waiting++;
    try {
      return await unlessAborted(joined.result, leave);
    } finally {
      if (--joined.waiting === 0) {
        this.#forget(name, joined);
        joined.stop.abort();
      }
    }
  }

  #begin(name: string, work: (signal: AbortSignal) => Promise<Result>): UnderWay<Result> {
    const stop = new AbortController();
    const begun = { result: work(stop.signal), stop, waiting: 0 };
    this.#underWay.set(name, begun);
    const forget = () => this.#forget(name, begun);
    begun.result.then(forget, forget);
    return begun;
  }

  #forget(name: string, ended: UnderWay<Result>): void {
    if (this.#underWay.get(name) === ended) this.#underWay.delete(name);
  }
}

interface UnderWay<Result> {
  readonly result: Promise<Result>;
  readonly stop: AbortController;
  waiting: number;
}

function unlessAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(cancelled("The wait", signal));
    signal.addEventListener("abort", leave, { once: true });
    const settled = () => signal.removeEventListener("abort", leave);
    result.finally(settled).then(resolve, reject);
  });
}
