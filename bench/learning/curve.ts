/** What training has come to after how long, and how much sooner one side gets where the other one ends. */
import { type Spread, spread } from "../harness/statistics.js";

/**
 * Under which noise an adapter is validated: `lad` corrupts the EOS tail too, `clearTail` leaves it as it is, as lad-generic trains.
 */
export const NOISES = ["lad", "clearTail"] as const;
export type NoiseName = (typeof NOISES)[number];

/** What has been learnt at one moment of a run. Validating takes none of its time. */
export interface Point {
  readonly updates: number;
  /** By the clock. */
  readonly seconds: number;
  /** Of the processors, summed over them; null where the system does not tell. */
  readonly processorSeconds: number | null;
  /** CE of corrupted content tokens of held-out examples, in nats. */
  readonly ce: Readonly<Record<NoiseName, number>>;
}

/** One training run. */
export interface LearningCurve {
  /** What tells it from the other runs of its side. */
  readonly name: string;
  readonly points: readonly Point[];
}

/** The reference at its best under one noise, and ours when it is there. */
export interface Race {
  readonly reference: Reached;
  /** Null where no run of ours gets there. */
  readonly ours: Reached | null;
  /** How many times as long the reference takes: by the clock, and of the processors' time. Null where ours does not get there. */
  readonly ratio: number | null;
  readonly processorRatio: number | null;
}

/** A moment of a run. */
export interface Reached {
  readonly run: string;
  readonly point: Point;
}

/** The lowest CE of all runs, and the first moment at which a run had it. */
export function bestOf(runs: readonly LearningCurve[], noise: NoiseName): Reached {
  const [best] = moments(runs).sort((a, b) => a.point.ce[noise] - b.point.ce[noise]);
  if (best === undefined) throw new RangeError("No run has a point.");
  return best;
}

/** The soonest moment, by the clock, at which a run has at most this CE; undefined where none has. */
export function soonest(runs: readonly LearningCurve[], noise: NoiseName, ce: number): Reached | undefined {
  return moments(runs)
    .filter(({ point }) => point.ce[noise] <= ce)
    .sort((a, b) => a.point.seconds - b.point.seconds)[0];
}

/** Whether some run is as good as the reference's best, under every noise. */
export function isReached(ours: readonly LearningCurve[], references: readonly LearningCurve[]): boolean {
  return NOISES.every((noise) => raceOf(ours, references, noise).ours !== null);
}

export function raceOf(
  ours: readonly LearningCurve[],
  references: readonly LearningCurve[],
  noise: NoiseName,
): Race {
  const reference = bestOf(references, noise);
  const reached = soonest(ours, noise, reference.point.ce[noise]);
  if (reached === undefined) return { reference, ours: null, ratio: null, processorRatio: null };
  return {
    reference,
    ours: reached,
    ratio: reference.point.seconds / reached.point.seconds,
    processorRatio: quotient(reference.point.processorSeconds, reached.point.processorSeconds),
  };
}

/** The median, the least and the most of the ratios; null where one is missing: a seed that did not get there is no figure. */
export function spreadOf(ratios: readonly (number | null)[]): Spread | null {
  const known = ratios.filter((ratio) => ratio !== null);
  return known.length === ratios.length && known.length > 0 ? spread(known) : null;
}

function moments(runs: readonly LearningCurve[]): Reached[] {
  return runs.flatMap(({ name, points }) => points.map((point) => ({ run: name, point })));
}

function quotient(above: number | null, below: number | null): number | null {
  return above === null || below === null ? null : above / below;
}
