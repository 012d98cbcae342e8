/** Runs one function at every point of a grid. */

import { check } from "../checks/check.js";
import { cancelled, invalidOption, isLadError, LadError } from "../errors.js";
import { axisSchema, type SweepSettings, sweepSettings } from "../options/sweep.js";
import type { Report } from "../report/report.js";
import { type Frozen, frozenCopy } from "./plain-data.js";
import { sweepReport } from "./reports/sweep-report.js";
import {
  checkResult,
  type FailedPoint,
  type Manifest,
  type Outcome,
  openManifest,
} from "./sweep-manifest.js";

/** A value that an axis may take. */
export type AxisValue = string | number | boolean;

/** Names and values of the axes. */
export type Axes = Readonly<Record<string, readonly AxisValue[]>>;

/** One point of the grid: a value for every axis. */
export type Point<Grid extends Axes> = { readonly [Axis in keyof Grid]: Grid[Axis][number] };

/** What a point's function receives in addition to the point. */
export interface SweepContext<Spec = undefined> {
  /** The sweep's `spec`, frozen. */
  readonly spec: Frozen<Spec>;
  /** Aborted when the sweep is aborted; pass it to every call. */
  readonly signal: AbortSignal;
  /** The point's number in the grid, the last axis running fastest. */
  readonly index: number;
}

/** The options of every sweep. */
export interface SweepParts<Grid extends Axes, Result, Spec>
  extends Omit<SweepSettings, "manifest" | "spec"> {
  /**
   * The grid. An axis with the name of an option of adapters, training or sampling (`rank`, `learningRate`, `policy`, …) is checked
   * like that option, before anything starts.
   */
  axes: Grid;
  /** Computes one point. With a manifest its result must be JSON (NaN, ±Infinity and bigints are allowed). */
  run: (point: Point<Grid>, context: SweepContext<Spec>) => Promise<Result>;
  /** Called with every point before anything starts; throws for an invalid one. */
  check?: ((point: Point<Grid>) => void) | undefined;
}

/** Options of a sweep with a `spec`: everything that `run` depends on, by which a manifest distinguishes experiments. */
export interface SpecifiedSweepOptions<Grid extends Axes, Result, Spec>
  extends SweepParts<Grid, Result, Spec> {
  /** Everything that `run` depends on besides the point, as JSON; `run` receives it frozen. */
  spec: Spec;
  /**
   * The path of a file that keeps every outcome, so that an interrupted sweep can be resumed. It belongs to one `spec`; a sweep with
   * another `spec` is rejected. Default: none.
   */
  manifest?: string | undefined;
}

/** Options of a sweep without a `manifest`, which would need a `spec`. */
export interface UnspecifiedSweepOptions<Grid extends Axes, Result>
  extends SweepParts<Grid, Result, undefined> {
  /** Needed only with a `manifest`. Default: none. */
  spec?: undefined;
  /** Needs a `spec`. Default: none. */
  manifest?: undefined;
}

/** The options of a sweep. */
export type SweepOptions<Grid extends Axes, Result, Spec = unknown> =
  | SpecifiedSweepOptions<Grid, Result, Spec>
  | UnspecifiedSweepOptions<Grid, Result>;

/** The options of a sweep with a spec of any type. */
interface AnySweepOptions<Grid extends Axes, Result> extends SweepParts<Grid, Result, unknown> {
  spec?: unknown;
  manifest?: string | undefined;
}

/** How one point ended: with its result or its error. */
export type SweepResult<Grid extends Axes, Result> = Outcome<Result> & {
  /** The point's values. */
  readonly point: Point<Grid>;
  /** The point's number in the grid, the last axis running fastest. */
  readonly index: number;
  /** Whether the outcome is from the manifest. */
  readonly resumed: boolean;
};

/**
 * A sweep over a grid. Iterate over it for results as they come, or await `table()` for all of them in the grid's order. A point that
 * fails is a row like the others.
 *
 * It starts with the iteration or `table()`. Leaving the loop early aborts the running points, and waits until they have ended.
 *
 * @throws LadError `invalid-option` for invalid axes or an invalid spec, before anything starts
 */
export function sweep<const Grid extends Axes, Result, Spec extends object>(
  options: SpecifiedSweepOptions<Grid, Result, Spec>,
): Sweep<Grid, Result>;
export function sweep<const Grid extends Axes, Result>(
  options: UnspecifiedSweepOptions<Grid, Result>,
): Sweep<Grid, Result>;
export function sweep<Grid extends Axes, Result, Spec>(
  options: SweepOptions<Grid, Result, Spec>,
): Sweep<Grid, Result> {
  return new Sweep(options as AnySweepOptions<Grid, Result>);
}

/** See {@link sweep}. */
export class Sweep<Grid extends Axes, Result> implements AsyncIterable<SweepResult<Grid, Result>> {
  /** Every point, the last axis running fastest. */
  readonly points: readonly Point<Grid>[];
  readonly #run: (point: Point<Grid>, context: SweepContext<unknown>) => Promise<Result>;
  readonly #axes: readonly string[];
  readonly #settings: ReturnType<typeof checkSettings>;
  readonly #spec: (signal: AbortSignal) => Promise<unknown>;
  readonly #report: NonNullable<SweepInside<Grid, Result>["report"]>;
  readonly #stop = new AbortController();
  readonly #results: SweepResult<Grid, Result>[] = [];
  #running: Promise<void> | undefined;
  #wake = () => {};
  #arrived = this.#nextArrival();

  /**
   * @internal
   */
  constructor(options: AnySweepOptions<Grid, Result>, inside: SweepInside<Grid, Result> = {}) {
    this.#settings = checkSettings(options, inside.spec !== undefined);
    const { spec } = this.#settings;
    this.#spec = inside.spec ?? (async () => spec);
    this.#report = inside.report ?? (async (rows, of) => sweepReport(this.#axes, rows, of));
    this.#run = options.run;
    checkAxes(options.axes);
    this.#axes = Object.keys(options.axes);
    this.points = grid(options.axes);
    for (const point of this.points) checkPoint(point, options.check);
  }

  /** Yields every point's outcome as it comes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<SweepResult<Grid, Result>, void, undefined> {
    const running = this.#start();
    running.catch(() => {});
    let ended = false;
    running
      .finally(() => {
        ended = true;
        this.#tell();
      })
      .catch(() => {});
    try {
      for (let next = 0; ; ) {
        const arrived = this.#arrived;
        while (next < this.#results.length) yield this.#results[next++] as SweepResult<Grid, Result>;
        if (ended && next === this.#results.length) break;
        await arrived;
      }
      await running;
    } finally {
      this.#stop.abort();
      await running.catch(() => {}); // until every running point has ended
    }
  }

  /**
   * Every point's outcome, in the grid's order.
   *
   * @throws LadError `cancelled` when the sweep was aborted, `storage` or `invalid-state` of its manifest, `storage` of its report
   */
  async table(): Promise<SweepResult<Grid, Result>[]> {
    await this.#start();
    return this.#inOrder();
  }

  #inOrder(): SweepResult<Grid, Result>[] {
    return this.#results.toSorted((a, b) => a.index - b.index);
  }

  #start(): Promise<void> {
    this.#running ??= this.#runAll();
    return this.#running;
  }

  async #runAll(): Promise<void> {
    const { manifest: path, report, signal } = this.#settings;
    const stop = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    const isKept = path !== undefined || report !== undefined;
    const spec = isKept ? await this.#spec(stop) : this.#settings.spec;
    const manifest = await openManifest(path, { axes: this.#axes, spec });
    try {
      await this.#runPoints(this.#resume(manifest), { manifest, spec, signal: stop });
      if (report !== undefined) await (await this.#report(this.#inOrder(), spec)).write(report);
    } finally {
      manifest.close();
    }
  }

  /** Reports the outcomes in the manifest; returns the numbers of the points that it lacks. */
  #resume(manifest: Manifest): number[] {
    const waiting: number[] = [];
    for (const [index, point] of this.points.entries()) {
      const known = manifest.get(point);
      const again = known?.status === "failed" && this.#settings.retryFailed;
      if (known === undefined || again) waiting.push(index);
      else this.#add({ ...(known as Outcome<Result>), point, index, resumed: true });
    }
    return waiting;
  }

  /** Runs the points; settles once no point is running any more. */
  async #runPoints(waiting: number[], work: Work): Promise<void> {
    const { concurrent } = this.#settings;
    const lane = async () => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        if (work.signal.aborted) throw cancelled("The sweep", work.signal);
        await this.#runPoint(index, work);
      }
    };
    const oneFailsAll = (error: unknown) => {
      this.#stop.abort(error);
      throw error;
    };
    const atOnce = concurrent === "fused" ? waiting.length : concurrent;
    const lanes = await Promise.allSettled(Array.from({ length: atOnce }, () => lane().catch(oneFailsAll)));
    const broken = lanes.find((result) => result.status === "rejected");
    if (broken !== undefined) throw broken.reason;
  }

  async #runPoint(index: number, { manifest, spec, signal }: Work): Promise<void> {
    const point = this.points[index] as Point<Grid>;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    let outcome: Outcome<Result>;
    try {
      const result = await this.#run(point, { spec, signal, index });
      if (this.#settings.manifest !== undefined) checkResult(result);
      outcome = { status: "done", result, seconds: seconds() };
    } catch (error) {
      if (signal.aborted) throw cancelled("The sweep", signal);
      outcome = { status: "failed", error: failure(error), seconds: seconds() };
    }
    await manifest.set(point, outcome);
    this.#add({ ...outcome, point, index, resumed: false });
  }

  #add(result: SweepResult<Grid, Result>): void {
    this.#results.push(result);
    this.#tell();
  }

  /** Wakes every reader. */
  #tell(): void {
    this.#wake();
    this.#arrived = this.#nextArrival();
  }

  #nextArrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** What an experiment's sweep does otherwise. */
interface SweepInside<Grid extends Axes, Result> {
  /** Finds the spec, if that needs the worker. Default: the options' own. */
  readonly spec?: (signal: AbortSignal) => Promise<unknown>;
  /** Makes the report of all outcomes. Default: one of their figures. */
  readonly report?: (rows: readonly SweepResult<Grid, Result>[], spec: unknown) => Promise<Report>;
}

/** What all points of a sweep share. */
interface Work {
  readonly manifest: Manifest;
  readonly spec: unknown;
  readonly signal: AbortSignal;
}

function failure(error: unknown): FailedPoint {
  return {
    code: isLadError(error) ? error.code : undefined,
    message: error instanceof Error ? error.message : String(error),
  };
}

function checkSettings<Grid extends Axes, Result>(
  options: AnySweepOptions<Grid, Result>,
  isSpecFound: boolean,
) {
  const { axes: _, run, check: checkOne, ...given } = options;
  if (typeof run !== "function") {
    throw invalidOption("run", run, "it must be a function", "Give (point, { signal }) => a promise.");
  }
  if (checkOne !== undefined && typeof checkOne !== "function") {
    throw invalidOption("check", checkOne, "it must be a function", "Give (point) => void, or leave it out.");
  }
  const settings = check(sweepSettings, given);
  if (settings.spec === undefined) {
    if (settings.manifest !== undefined && !isSpecFound) throw specMissing();
    return settings;
  }
  return { ...settings, spec: frozenCopy(settings.spec, "spec") };
}

function specMissing(): LadError {
  const text =
    "spec is missing: a manifest keeps results, and what run depends on beside the point is unknown.";
  return new LadError("invalid-option", text, {
    option: "spec",
    remedy: "Give all of that as JSON, for instance { steps: 300 }, and take it from run's second argument.",
  });
}

function checkAxes(axes: Axes): void {
  const entries = Object.entries(axes ?? {});
  if (entries.length === 0) {
    throw invalidOption("axes", axes, "there is no axis", "Give for instance { rank: [4, 16, 64] }.");
  }
  for (const [name, values] of entries) {
    const option = `axes.${name}`;
    if (!Array.isArray(values) || values.length === 0) {
      throw invalidOption(
        option,
        values,
        "it must be a list of at least one value",
        "Give a list of values.",
      );
    }
    for (const [index, value] of values.entries()) {
      const at = `${option}[${index}]`;
      if (!isScalar(value)) {
        const problem = "it must be a string, a finite number, true or false";
        throw invalidOption(at, value, problem, "Name the value and look it up in run.");
      }
      if (values.indexOf(value) !== index) {
        throw invalidOption(at, value, "it is there twice", "Give each value once.");
      }
      const schema = axisSchema(name);
      if (schema !== undefined) check(schema, value, at);
    }
  }
}

function isScalar(value: unknown): value is AxisValue {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function checkPoint<Grid extends Axes>(
  point: Point<Grid>,
  test: ((point: Point<Grid>) => void) | undefined,
): void {
  try {
    test?.(point);
  } catch (error) {
    const { message } = error as Error;
    throw new LadError("invalid-option", `axes make the point ${JSON.stringify(point)}: ${message}`, {
      option: "axes",
      value: point,
      cause: error,
    });
  }
}

/** The Cartesian product of the axes; the last axis varies fastest. */
function grid<Grid extends Axes>(axes: Grid): Point<Grid>[] {
  let points: Record<string, AxisValue>[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points as Point<Grid>[];
}
