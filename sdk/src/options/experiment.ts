/** What an experiment's file may say: the options of this package, without those that only a program can give. */
import { z } from "zod";
import { fields, filledText, integer, list, text, without } from "../checks/fields.js";
import { adapterOptions, baseOptions } from "./base.js";
import { dataSourceSchema } from "./data-source.js";
import { noiseSchema } from "./noise.js";
import { localFields } from "./runtime.js";
import { specFields } from "./sampling.js";
import { sweepSettings } from "./sweep.js";
import { trainingFields } from "./training.js";

const axisValue = z.union([text(), z.number({ error: "a number" }), z.boolean({ error: "true or false" })], {
  error: "a string, a number, true or false",
});

const runtimeFields = without(localFields, "onLog", "onWarning", "signal", "python");

export const baseFields = fields({
  /** `stub`, `tiny`, `smollm2-135m`, a hub id or a folder. */
  name: filledText("a base's name"),
  ...without(baseOptions, "onProgress", "signal", "timeoutMs", "hubToken").shape,
});

const trainFields = fields({
  ...without(trainingFields, "detached", "signal", "noise").shape,
  noise: noiseSchema.optional(),
});

const samplingFields = without(specFields, "frames", "detached", "signal");

const evaluationFields = fields({
  /** Questions with their answers, as examples; the answers are what exact match compares with. */
  data: dataSourceSchema,
  /** How many of them, from the first on. 0: all. */
  maxExamples: integer(0).default(0),
  /** Every way of sampling that is measured. */
  sampling: list(samplingFields, "a list of samplers' settings, at least one"),
});

const sweepFields = fields({
  /** Values for options of this file, by their path: `adapter.rank: [4, 16, 64]`. */
  axes: z.record(z.string(), list(axisValue, "a list of at least one value"), { error: "an object" }),
  ...without(sweepSettings, "signal", "spec").shape,
});

export const experimentSchema = fields({
  name: filledText("a name").optional(),
  runtime: runtimeFields.optional(),
  base: z.union([filledText("a base's name"), baseFields], { error: "a base's name, or an object" }),
  adapter: without(adapterOptions, "signal", "timeoutMs"),
  training: trainFields,
  evaluation: evaluationFields.optional(),
  sweep: sweepFields.optional(),
});

/** An experiment as its file says it: only what was written, no defaults filled in. */
export type Experiment = z.input<typeof experimentSchema>;
