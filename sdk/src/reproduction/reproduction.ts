/** The paper's claims, measured: every variant trained, every figure with its certainty, piece by piece. */
import { join } from "node:path";
import { itemsOf } from "../benchmarks/items.js";
import { Sweep } from "../experiments/sweep.js";
import type { FailedPoint } from "../experiments/sweep-manifest.js";
import { makeGivenFolder } from "../make-folder.js";
import type { Report, WrittenReport } from "../report/report.js";
import type { TrainingEvent } from "../results.js";
import type { Runtime } from "../runtime.js";
import type { Finding, NamedClaim } from "./claims/claim.js";
import { claims } from "./claims/claims.js";
import { Measured } from "./measured.js";
import { compute } from "./measuring/compute.js";
import { Lab } from "./measuring/lab.js";
import { checkReproduction, type ReproductionOptions } from "./options.js";
import { nameOf, PIECES, type Piece, piecesOf, QUESTION_SETS } from "./pieces.js";
import { planReproduction, type ReproductionPlan } from "./plan.js";
import { type ReproductionReport, reproductionReport } from "./report.js";
import { loadingOf, recipesOf, type Setting, settingOf } from "./setting.js";

/** One piece that has ended. */
export interface ReproducedPiece {
  /** What it was, such as `tiny rank 64: training`. */
  readonly name: string;
  /** How many have ended with it. */
  readonly done: number;
  /** How many there are. */
  readonly total: number;
  /** That it took. */
  readonly seconds: number;
  /** Whether an earlier reproduction in this folder had computed it. */
  readonly resumed: boolean;
  /** What went wrong, of a piece that failed. */
  readonly error: FailedPoint | undefined;
}

/** A claim with what was measured of it. */
export interface JudgedClaim extends NamedClaim {
  /** One for each of its comparisons. */
  readonly findings: readonly Finding[];
}

/** Options of `Reproduction.run`. */
export interface ReproducingOptions {
  /** Ends it with the error `cancelled` once the piece under way has ended. What is done is kept. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Called with every event of a training, and the piece that it is of. */
  readonly onEvent?: ((event: TrainingEvent, piece: string) => void) | undefined;
}

/**
 * Reproduces the paper's claims: trains adapters of every rank on every base with the same data and steps, measures them, and judges
 * each claim by the interval of its figure. On the shipped bases it is a miniature; on Llama 3 and a GPU it is the paper's own run.
 *
 * @throws LadError `invalid-option`
 */
export function reproduceLad(options: ReproductionOptions): Reproduction {
  return new Reproduction(settingOf(checkReproduction(options)));
}

/** See {@link reproduceLad}. */
export class Reproduction {
  /** The names of all pieces, in the order of their computation. */
  readonly pieces: readonly string[];
  /** Optimizer steps of each variant. */
  readonly steps: number;
  readonly #setting: Setting;
  readonly #byName: ReadonlyMap<string, Piece>;
  readonly #results: Map<string, unknown>;
  #about: Pick<ReproductionReport, "data" | "versions">;

  /** @internal */
  constructor(
    setting: Setting,
    results: ReadonlyMap<string, unknown> = new Map(),
    data: Readonly<Record<string, string>> = {},
  ) {
    this.#setting = setting;
    this.#results = new Map(results);
    this.#about = { data, versions: {} };
    this.steps = setting.steps;
    const pieces = piecesOf(setting);
    this.#byName = new Map(pieces.map((piece) => [nameOf(piece), piece]));
    this.pieces = [...this.#byName.keys()];
  }

  /** Measures a few steps and answers on every base, and tells what the whole will take and write. */
  async plan(runtime: Runtime): Promise<ReproductionPlan> {
    await using lab = new Lab(runtime, this.#setting);
    return planReproduction(lab);
  }

  /**
   * Computes the pieces, one after another, and yields each as it ends. What the folder has already is not computed again, and a
   * training goes on from its last checkpoint.
   *
   * @throws LadError `invalid-state` for a folder of other options, `cancelled`, `storage`
   */
  async *run(
    runtime: Runtime,
    { signal, onEvent }: ReproducingOptions = {},
  ): AsyncGenerator<ReproducedPiece, void, undefined> {
    await using lab = new Lab(runtime, this.#setting);
    const data = await digestsOf(lab, runtime);
    const benchmarks = await benchmarkDigestsOf(lab, signal);
    this.#about = { data: { ...data, ...benchmarks }, versions: await versionsOf(runtime) };
    makeGivenFolder(this.#setting.folder);
    const pieces = new Sweep({
      axes: { piece: this.pieces },
      manifest: join(this.#setting.folder, PIECES),
      spec: specOf(this.#setting, data, benchmarks),
      retryFailed: true,
      signal,
      run: (point: { readonly piece: string }, context) =>
        compute(lab, this.#byName.get(point.piece) as Piece, {
          signal: context.signal,
          onEvent: (event) => onEvent?.(event, point.piece),
        }),
    });
    let done = 0;
    for await (const outcome of pieces) {
      const { piece: name } = outcome.point;
      if (outcome.status === "done") this.#results.set(name, outcome.result);
      const error = outcome.status === "failed" ? outcome.error : undefined;
      const { seconds, resumed } = outcome;
      yield { name, done: ++done, total: this.pieces.length, seconds, resumed, error };
    }
  }

  /** What the pieces that were computed say of each claim. */
  judge(): readonly JudgedClaim[] {
    const measured = new Measured(this.#results);
    return claims.map(({ id, title, source, judge }) => ({
      id,
      title,
      source,
      findings: judge(measured, this.#setting),
    }));
  }

  /** Writes the report of what was computed into the folder `report` of the reproduction's own. */
  report(command?: string): Promise<WrittenReport> {
    return this.reportOf(command).write(join(this.#setting.folder, "report"));
  }

  /**
   * The same, not yet written.
   *
   * @internal
   */
  reportOf(command?: string): Report {
    const about = { command, ...this.#about };
    return reproductionReport(new Measured(this.#results), this.#setting, about);
  }
}

/** The SHA-256 of each data set, by what it is for. */
async function digestsOf({ data }: Lab, runtime: Runtime): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const [name, source] of Object.entries(data)) digests[name] = (await runtime.dataset(source)).id;
  return digests;
}

/** The SHA-256 of the rows of each benchmark, by its kind. */
async function benchmarkDigestsOf(
  lab: Lab,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const { bases, benchmarks } = lab.setting;
  const digests: Record<string, string> = {};
  for (const benchmark of QUESTION_SETS.flatMap((set) => benchmarks[set])) {
    const base = await lab.base(bases[0] as string);
    digests[benchmark.kind] = (await itemsOf(base, benchmark, signal)).data;
  }
  return digests;
}

async function versionsOf(runtime: Runtime): Promise<Record<string, string>> {
  const { device, torchVersion } = await runtime.info();
  return { torch: torchVersion, device };
}

/** Everything that the results depend on, with the content of the data in place of where it is. */
function specOf(
  setting: Setting,
  data: Readonly<Record<string, string>>,
  rows: Readonly<Record<string, string>>,
): object {
  const { bases, ranks, steps, questions, iterations, seed } = setting;
  const benchmarks = QUESTION_SETS.flatMap((set) =>
    setting.benchmarks[set].map((benchmark) => {
      const { shots, seed } = benchmark.complete();
      return { set, kind: benchmark.kind, rows: rows[benchmark.kind], shots, seed: String(seed) };
    }),
  );
  const recipes = recipesOf(setting);
  return {
    bases,
    ranks,
    steps,
    questions,
    iterations,
    seed,
    recipes,
    data,
    benchmarks,
    load: loadingOf(setting),
  };
}
