/** Several workers, each with the base on its own threads: trainings that do not share a step run beside each other. */
import { join } from "node:path";
import { type Base, Runtime } from "../../sdk/src/index.js";
import type { Bench } from "../harness/bench.js";

export class Workers implements AsyncDisposable {
  readonly #runtimes: readonly Runtime[];
  readonly #free: Base[];

  private constructor(runtimes: readonly Runtime[], bases: readonly Base[]) {
    this.#runtimes = runtimes;
    this.#free = [...bases];
  }

  /** So many of them, with the base that is measured. */
  static async start(count: number, { options, scratch }: Bench): Promise<Workers> {
    const { threads, base } = options;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const runtimes = await Promise.all(
      numbers.map((i) => Runtime.start({ threads, stateFolder: join(scratch, `worker-${i}`) })),
    );
    return new Workers(runtimes, await Promise.all(runtimes.map((runtime) => runtime.loadBase(base))));
  }

  /** Computes on a worker that does nothing else; no more calls at once than there are workers. */
  async use<Value>(work: (base: Base) => Promise<Value>): Promise<Value> {
    const base = this.#free.pop();
    if (base === undefined) throw new Error("All workers are taken.");
    try {
      return await work(base);
    } finally {
      this.#free.push(base);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#runtimes.map((runtime) => runtime.close()));
  }
}
