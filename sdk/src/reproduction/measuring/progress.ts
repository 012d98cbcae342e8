/** What a training's events come to, over all of its sittings. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Training } from "../measured.js";

/** Points of a loss curve. */
const CURVE_POINTS = 100;

/** What is used of a step's event. */
export interface ProgressStep {
  readonly step: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly report: { readonly corruptedCe: number; readonly corruptedTokens: number };
}

/** Everything that a sitting hands to the next. */
interface Sums {
  /** The last step. */
  step: number;
  seconds: number;
  /** Computed in those seconds. */
  trained: number;
  /** Of the steps since the last point: the CE's sum, and the corrupted tokens that it is of. */
  nats: number;
  corrupted: number;
  points: { readonly step: number; readonly ce: number }[];
}

/** The mean CE per corrupted token over each hundredth of the steps, and the time; kept beside the adapter with each checkpoint. */
export class Progress {
  readonly #path: string;
  readonly #every: number;
  #sums: Sums = { step: 0, seconds: 0, trained: 0, nats: 0, corrupted: 0, points: [] };

  constructor(steps: number, path: string) {
    this.#path = path;
    this.#every = Math.max(1, Math.floor(steps / CURVE_POINTS));
  }

  add({ step, seconds, tokensPerSecond, report }: ProgressStep): void {
    const sums = this.#sums;
    sums.step = step;
    sums.seconds += seconds;
    sums.trained += seconds * tokensPerSecond;
    if (report.corruptedTokens > 0) sums.nats += report.corruptedCe * report.corruptedTokens;
    sums.corrupted += report.corruptedTokens;
    if (step % this.#every !== 0 || sums.corrupted === 0) return;
    sums.points.push({ step, ce: sums.nats / sums.corrupted });
    sums.nats = sums.corrupted = 0;
  }

  /** Writes it down. */
  keep(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(`${this.#path}.new`, JSON.stringify(this.#sums));
    renameSync(`${this.#path}.new`, this.#path);
  }

  /** Goes on from what an earlier sitting wrote down at `step`. Of another step, or gone, the curve begins there. */
  restore(step: number): void {
    try {
      const kept = JSON.parse(readFileSync(this.#path, "utf8")) as Sums;
      if (kept.step === step) this.#sums = kept;
    } catch {
      // nothing of it was written
    }
  }

  forget(): void {
    rmSync(this.#path, { force: true });
  }

  figures(): Pick<Training, "seconds" | "tokensPerSecond" | "curve"> {
    const { seconds, trained, points } = this.#sums;
    return { seconds, tokensPerSecond: trained / seconds, curve: points };
  }
}
