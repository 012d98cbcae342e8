/** Runs one function at every point of a grid. */
import { check } from "./check.js";
import { cancelled, invalidOption, isLadError, LadError } from "./errors.js";
import { axisSchema, type SweepSettings, sweepSettings } from "./options/sweep.js";
import { type FailedPoint, Manifest, type Outcome } from "./sweep-manifest.js";

/** A value that an axis may take. */
export type AxisValue = string | number | boolean;

/** Names and values of the axes. */
export type Axes = Readonly<Record<string, readonly AxisValue[]>>;

/** One point of the grid: a value for every axis. */
export type Point<Grid extends Axes> = { readonly [Axis in keyof Grid]: Grid[Axis][number] };

/** What a point's function is given beside the point. */
export interface SweepContext {
  /** Aborted when the sweep is; give it to every call. */
  readonly signal: AbortSignal;
  /** The point's number in the grid, the last axis running fastest. */
  readonly index: number;
}

/** What a sweep is made of. */
export interface SweepOptions<Grid extends Axes, Result> extends SweepSettings {
  /**
   * The grid. An axis that is called as an option of adapters, training or sampling (`rank`, `learningRate`, `mode`, …) is
   * checked as that option is, before anything starts.
   */
  axes: Grid;
  /** Computes one point. With a manifest the result has to be JSON (NaN, ±Infinity and bigints may be in it). */
  run: (point: Point<Grid>, context: SweepContext) => Promise<Result>;
  /** Called with every point before anything starts; throws for one that makes no sense. */
  check?: ((point: Point<Grid>) => void) | undefined;
}

/** How one point ended: with its result, or with what went wrong. */
export type SweepResult<Grid extends Axes, Result> = Outcome<Result> & {
  readonly point: Point<Grid>;
  readonly index: number;
  /** It was in the manifest already. */
  readonly resumed: boolean;
};

/**
 * A sweep over a grid. Iterate over it for results as they come, or await `table()` for all of them in the grid's order;
 * a point that fails is a row beside the others.
 *
 * Nothing runs until one of the two is asked for. Leaving the loop early aborts what still runs.
 *
 * @throws LadError `invalid-option` for axes that make no sense, before anything starts
 */
export function sweep<const Grid extends Axes, Result>(
  options: SweepOptions<Grid, Result>,
): Sweep<Grid, Result> {
  return new Sweep(options);
}

/** See {@link sweep}. */
export class Sweep<Grid extends Axes, Result> implements AsyncIterable<SweepResult<Grid, Result>> {
  /** Every point, the last axis running fastest. */
  readonly points: readonly Point<Grid>[];
  readonly #options: SweepOptions<Grid, Result>;
  readonly #settings: ReturnType<typeof checkSettings>;
  readonly #stop = new AbortController();
  readonly #results: SweepResult<Grid, Result>[] = [];
  #running: Promise<void> | undefined;
  #wake = () => {};
  #arrived = this.#nextArrival();

  constructor(options: SweepOptions<Grid, Result>) {
    this.#settings = checkSettings(options);
    this.#options = options;
    checkAxes(options.axes);
    this.points = grid(options.axes);
    for (const point of this.points) checkPoint(point, options.check);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SweepResult<Grid, Result>, void, undefined> {
    const running = this.#run();
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
      if (!ended) this.#stop.abort();
    }
  }

  /**
   * Every point's outcome, in the grid's order.
   *
   * @throws LadError `cancelled` when the sweep was aborted, `storage` or `invalid-state` of its manifest
   */
  async table(): Promise<SweepResult<Grid, Result>[]> {
    await this.#run();
    return this.#results.toSorted((a, b) => a.index - b.index);
  }

  #run(): Promise<void> {
    this.#running ??= this.#runAll();
    return this.#running;
  }

  async #runAll(): Promise<void> {
    const { manifest: path, spec, concurrent, retryFailed, signal } = this.#settings;
    const stop = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    const manifest = await Manifest.open(path, Object.keys(this.#options.axes), spec);
    const waiting: number[] = [];
    for (const [index, point] of this.points.entries()) {
      const known = manifest.get(point);
      if (known === undefined || (retryFailed && known.status === "failed")) waiting.push(index);
      else this.#add({ ...(known as Outcome<Result>), point, index, resumed: true });
    }
    const lane = async () => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        if (stop.aborted) throw cancelled("The sweep", stop);
        await this.#runPoint(index, manifest, stop);
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

  async #runPoint(index: number, manifest: Manifest, signal: AbortSignal): Promise<void> {
    const point = this.points[index] as Point<Grid>;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    let outcome: Outcome<Result>;
    try {
      const result = await this.#options.run(point, { signal, index });
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

function failure(error: unknown): FailedPoint {
  return {
    code: isLadError(error) ? error.code : undefined,
    message: error instanceof Error ? error.message : String(error),
  };
}

function checkSettings<Grid extends Axes, Result>(options: SweepOptions<Grid, Result>) {
  const { axes: _, run, check: checkOne, ...settings } = options;
  if (typeof run !== "function") {
    throw invalidOption("run", run, "it must be a function", "Give (point, { signal }) => a promise.");
  }
  if (checkOne !== undefined && typeof checkOne !== "function") {
    throw invalidOption("check", checkOne, "it must be a function", "Give (point) => void, or leave it out.");
  }
  return check(sweepSettings, settings);
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

/** The Cartesian product, the last axis running fastest. */
function grid<Grid extends Axes>(axes: Grid): Point<Grid>[] {
  let points: Record<string, AxisValue>[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points as Point<Grid>[];
}
