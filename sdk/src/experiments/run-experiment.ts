import type { Base } from "../base.js";
import type { Evaluation } from "../evaluation/evaluation.js";
import type { Experiment } from "../options/experiment.js";
import type { BaseOptions } from "../options.js";
import type { Runtime } from "../runtime.js";
import { BUILD_VERSION, PROTOCOL_VERSION } from "../version.js";
import type { TrainingEvent } from "../wire.js";
import { bestApart } from "./best-apart.js";
import { experimentAt } from "./experiment.js";
import type { ExperimentResult } from "./experiment-result.js";
import { experimentSpec } from "./experiment-spec.js";
import { LossCurves } from "./loss-curves.js";
import { experimentReport } from "./reports/experiment-report.js";
import { type AxisValue, Sweep } from "./sweep.js";

/** Options of `runExperiment`. */
export interface RunExperimentOptions {
  /** Ends the sweep with the error `cancelled`, once its running points have ended. Default: none. */
  signal?: AbortSignal | undefined;
  /** Called with every event of every point's training. */
  onEvent?: (event: TrainingEvent, point: Readonly<Record<string, AxisValue>>) => void;
  /**
   * Names the folder of this machine that a point's adapter is saved in when it is trained and evaluated, as `adapter.save` does; the
   * result tells it. Points that a manifest already has are not computed, so nothing is saved of them. Default: adapters are dropped.
   */
  saveTo?: (point: Readonly<Record<string, AxisValue>>) => string | Promise<string>;
}

/**
 * Runs an experiment: creates, trains, evaluates and drops an adapter for each point of its sweep. Without a sweep there is one
 * point.
 *
 * A manifest belongs to one experiment, identified by its options with their defaults, the base that was found (`info.revision`, data
 * type) and the content of its data.
 *
 * @throws LadError `invalid-option` for an invalid point, before anything starts
 */
export function runExperiment(
  runtime: Runtime,
  experiment: Experiment,
  { signal, onEvent, saveTo }: RunExperimentOptions = {},
): Sweep<Record<string, readonly AxisValue[]>, ExperimentResult> {
  const { axes = { "adapter.rank": [experiment.adapter.rank] }, ...settings } = experiment.sweep ?? {};
  const experiments = new Map<object, Experiment>();
  const inSweep = experiment.sweep?.axes === undefined ? (alone: Experiment) => alone : bestApart;
  let loaded: Promise<Base> | undefined;
  const baseOnce = (until: AbortSignal) => {
    loaded ??= loadBaseOf(runtime, experiment, until);
    return loaded;
  };
  const options = {
    ...settings,
    axes,
    report: experiment.report,
    signal,
    check: (point: Readonly<Record<string, AxisValue>>) =>
      void experiments.set(point, inSweep(experimentAt(experiment, point), point)),
    run: async (point: Readonly<Record<string, AxisValue>>, context: { signal: AbortSignal }) => {
      const base = await baseOnce(context.signal);
      const checked = experiments.get(point) as Experiment; // every point is checked before one runs
      return runPoint(base, checked, context.signal, {
        onEvent: (event) => onEvent?.(event, point),
        folder: saveTo && (() => saveTo(point)),
      });
    },
  };
  return new Sweep(options, {
    spec: async (until) => experimentSpec(experiment, await baseOnce(until), until),
    report: async (rows, spec) => {
      const { torchVersion, pythonVersion } = await runtime.info({ signal });
      const versions = {
        lad: BUILD_VERSION,
        protocol: PROTOCOL_VERSION,
        torch: torchVersion,
        python: pythonVersion,
      };
      return experimentReport({ experiment, axes, rows, spec, versions });
    },
  });
}

function loadBaseOf(runtime: Runtime, { base }: Experiment, signal: AbortSignal): Promise<Base> {
  if (typeof base === "string") return runtime.loadBase(base, { signal });
  const { name, ...options } = base;
  return runtime.loadBase(name, { ...(options as BaseOptions), signal });
}

interface PointOptions {
  readonly onEvent: (event: TrainingEvent) => void;
  /** Where its adapter is saved. */
  readonly folder: (() => string | Promise<string>) | undefined;
}

async function runPoint(
  base: Base,
  { adapter: settings, training, evaluation }: Experiment,
  signal: AbortSignal,
  { onEvent, folder: named }: PointOptions,
): Promise<ExperimentResult> {
  await using adapter = await base.createAdapter({ ...settings, signal });
  const run = adapter.train({ ...training, signal });
  const curves = new LossCurves();
  for await (const event of run) {
    curves.add(event);
    onEvent(event);
  }
  const finished = await run.result();
  const evaluations: Omit<Evaluation, "answers" | "items">[] = [];
  if (evaluation !== undefined) {
    const { windowTokens } = training;
    const items = await base.questions(evaluation.data, {
      windowTokens,
      limit: evaluation.maxExamples,
      signal,
    });
    for (const sampling of evaluation.sampling) {
      const { answers: _, items: __, ...measures } = await adapter.evaluate({ ...sampling, items, signal });
      evaluations.push(measures);
    }
  }
  const info = await adapter.refresh({ signal });
  const { validation } = finished;
  const folder = await named?.();
  if (folder !== undefined) await adapter.save(folder, { signal });
  return {
    adapter: info,
    ...(folder === undefined ? {} : { folder }),
    training: finished,
    validation,
    evaluations,
    ...curves.result(),
  };
}
