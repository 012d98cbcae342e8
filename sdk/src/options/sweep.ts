import { z } from "zod";
import { abortSignal, fields, filledText, flag, integer } from "../checks/fields.js";
import { adapterOptions } from "./base.js";
import { sampleFields } from "./sampling.js";
import { trainingFields } from "./training.js";

/** What a sweep takes beside its axes and functions. */
export const sweepSettings = fields({
  /**
   * A file that keeps every outcome, so that a sweep that was interrupted goes on where it was. It belongs to one `spec`: another
   * one is another experiment and is refused. Default: none.
   */
  manifest: filledText("a file's path").optional(),
  /**
   * All that `run` depends on beside the point, as JSON; `run` is given it, frozen. Required with a manifest, since what a function
   * has closed over cannot be compared.
   */
  spec: z.unknown().optional(),
  /**
   * Points that run at once; `fused`: all of them, so that the worker computes their training steps in common batches where that
   * is faster and in turn where it is not. The numbers are those of each point alone; so many adapters have to fit the worker's
   * memory.
   */
  concurrent: z
    .union([integer(1, 1024), z.literal("fused")], { error: "an integer from 1 to 1024, or fused" })
    .default(1),
  /** Whether points that failed are run again from a manifest. */
  retryFailed: flag().default(true),
  signal: abortSignal().optional(),
});
export type SweepSettings = z.input<typeof sweepSettings>;

/** The check of an axis that is called as an option is; undefined for a name of the caller's own. */
export function axisSchema(name: string): z.ZodType | undefined {
  const shapes: Record<string, z.ZodType>[] = [
    adapterOptions.shape,
    trainingFields.shape,
    sampleFields.shape,
  ];
  return shapes.find((shape) => Object.hasOwn(shape, name))?.[name];
}
