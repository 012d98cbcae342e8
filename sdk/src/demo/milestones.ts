/** The weights that a run had on its way: snapshots, to be asked beside each other and beside those that it ends with. */
import type { Adapter, Run, Snapshot } from "../index.js";

/** How many there are of a run at most. */
const MOST = 8;
/** Of how many runs there are any; those of earlier ones are dropped. */
const MOST_RUNS = 8;

/** Keeps milestones of runs that are watched, for as long as the demo is served. */
export class Milestones {
  readonly #taken = new Map<string, Snapshot[]>();
  readonly #watching = new Set<Promise<void>>();

  /**
   * Takes a snapshot of an adapter every so many steps of its run, up to its end or until `signal` is aborted. A run is not kept waiting for
   * it: how many steps a snapshot has is its own to say. `onFailure` hears why there are no more.
   */
  watch(adapter: Adapter, run: Run, steps: number, signal: AbortSignal, onFailure: (error: unknown) => void) {
    const taken: Snapshot[] = [];
    this.#taken.set(run.id, taken);
    this.#dropOldest(onFailure);
    const everySteps = Math.max(1, Math.ceil(steps / (MOST + 1)));
    const watching = (async () => {
      for await (const { event } of run.events({ signal })) {
        if (event.type !== "step" || event.step % everySteps !== 0 || event.step === steps) continue;
        const snapshot = await adapter.snapshot({ signal });
        const isNew = taken.at(-1)?.info.steps !== snapshot.info.steps && snapshot.info.steps < steps;
        if (isNew && this.#taken.has(run.id)) taken.push(snapshot);
        else await snapshot.drop();
      }
    })().catch((error: unknown) => {
      if (!signal.aborted) onFailure(error);
    });
    this.#watching.add(watching);
    void watching.then(() => this.#watching.delete(watching));
  }

  #dropOldest(onFailure: (error: unknown) => void): void {
    for (const [runId, snapshots] of [...this.#taken].slice(0, -MOST_RUNS)) {
      this.#taken.delete(runId);
      disposed(snapshots).catch(onFailure);
    }
  }

  /** Those of a run, the last first. */
  of(runId: string): readonly Snapshot[] {
    return [...(this.#taken.get(runId) ?? [])].reverse();
  }

  /** Drops all. The signal of what is still watched has been aborted. */
  async close(): Promise<void> {
    await Promise.all(this.#watching);
    await disposed([...this.#taken.values()].flat());
  }
}

async function disposed(snapshots: readonly Snapshot[]): Promise<void> {
  await Promise.all(snapshots.map((snapshot) => snapshot[Symbol.asyncDispose]()));
}
