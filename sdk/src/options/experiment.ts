/** What an experiment's file may say: the options of this package, without those that only a program can give. */
import { z } from "zod";
import { filledText, integer, list, text, without } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type AdapterOptions, adapterOptions, type BaseOptions, baseOptions } from "./base.js";
import { type DataSource, dataSourceSchema } from "./data-source.js";
import { type NoiseInput, noiseSchema } from "./noise.js";
import { type LocalOptions, localFields } from "./runtime.js";
import { misplacedBesidePolicy } from "./sampling/policy.js";
import { type SamplingOptions, specFields } from "./sampling.js";
import { type SweepSettings, sweepSettings } from "./sweep.js";
import { type TrainingOptions, trainingFields } from "./training.js";

/** An experiment as its file says it: only what was written, no defaults filled in. */
export interface Experiment {
  /** What it is called, for whoever reads its file. Default: nothing. */
  name?: string | undefined;
  /** Options of `Runtime.start`, for whoever runs the file. Default: none. */
  runtime?: ExperimentRuntime | undefined;
  /** The base, or its name alone: `stub`, `tiny`, `smollm2-135m`, a hub id or a folder. */
  base: string | ExperimentBase;
  /** The adapter that is trained. */
  adapter: ExperimentAdapter;
  /** How it is trained. */
  training: ExperimentTraining;
  /** What its answers are measured by. Default: nothing. */
  evaluation?: ExperimentEvaluation | undefined;
  /** Which options take several values. Default: none, and the experiment has one point. */
  sweep?: ExperimentSweep | undefined;
  /**
   * A folder into which a report is written when all points have ended: loss curves, evaluations, the configuration and the data's
   * digests. In a file it is relative to the file's folder. Default: none.
   */
  report?: string | undefined;
}

/** How an experiment starts its worker. */
export interface ExperimentRuntime extends Omit<LocalOptions, "onLog" | "onWarning" | "signal" | "python"> {}

/** An experiment's base. */
export interface ExperimentBase
  extends Omit<BaseOptions, "onProgress" | "signal" | "timeoutMs" | "hubToken"> {
  /** `stub`, `tiny`, `smollm2-135m`, a hub id or a folder. */
  name: string;
}

/** An experiment's adapter. */
export interface ExperimentAdapter extends Omit<AdapterOptions, "signal" | "timeoutMs"> {}

/** How an experiment trains. */
export interface ExperimentTraining extends Omit<TrainingOptions, "save" | "detached" | "signal" | "noise"> {
  /** How answers are corrupted. Default: `lad`. */
  noise?: NoiseInput | undefined;
}

/** One way in which an experiment samples answers. */
export interface ExperimentSampling extends Omit<SamplingOptions, "frames" | "detached" | "signal"> {}

/** What an experiment measures. */
export interface ExperimentEvaluation {
  /** Questions with their answers, as examples; the answers are what exact match compares with. */
  data: DataSource;
  /** How many of them, from the first on: an integer of at least 0. Default: 0, all. */
  maxExamples?: number | undefined;
  /** Every way of sampling that is measured, at least one. */
  sampling: readonly ExperimentSampling[];
}

/** An experiment's sweep. */
export interface ExperimentSweep extends Omit<SweepSettings, "signal" | "spec" | "report"> {
  /** Values for options of this file, by their path: `adapter.rank: [4, 16, 64]`. */
  axes: Record<string, readonly (string | number | boolean)[]>;
}

const axisValue = z.union([text(), z.number({ error: "a number" }), z.boolean({ error: "true or false" })], {
  error: "a string, a number, true or false",
});

export const runtimeFields = fieldsOf<ExperimentRuntime>()(
  without(localFields, "onLog", "onWarning", "signal", "python").shape,
);

export const baseFields = fieldsOf<ExperimentBase>()({
  name: filledText("a base's name"),
  ...without(baseOptions, "onProgress", "signal", "timeoutMs", "hubToken").shape,
});

export const adapterFields = fieldsOf<ExperimentAdapter>()(
  without(adapterOptions, "signal", "timeoutMs").shape,
);

export const trainFields = fieldsOf<ExperimentTraining>()({
  ...without(trainingFields, "save", "detached", "signal", "noise").shape,
  noise: noiseSchema.optional(),
});

export const samplingFields = fieldsOf<ExperimentSampling>()(
  without(specFields, "frames", "detached", "signal").shape,
  misplacedBesidePolicy,
);

export const evaluationFields = fieldsOf<ExperimentEvaluation>()({
  data: dataSourceSchema,
  maxExamples: integer(0).default(0),
  sampling: list(samplingFields, "a list of samplers' settings, at least one"),
});

export const sweepFields = fieldsOf<ExperimentSweep>()({
  axes: z.record(z.string(), list(axisValue, "a list of at least one value"), { error: "an object" }),
  ...without(sweepSettings, "signal", "spec", "report").shape,
});

export const experimentSchema = fieldsOf<Experiment>()({
  name: filledText("a name").optional(),
  runtime: runtimeFields.optional(),
  base: z.union([filledText("a base's name"), baseFields], { error: "a base's name, or an object" }),
  adapter: adapterFields,
  training: trainFields,
  evaluation: evaluationFields.optional(),
  sweep: sweepFields.optional(),
  report: filledText("a folder's path").optional(),
});
