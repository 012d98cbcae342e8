import { z } from "zod";
import { abortSignal, filledText, flag, integer } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { POLICY_KINDS, policyDefinition } from "../method/policy.js";
import { adapterOptions } from "./base.js";
import { sampleFields } from "./sampling.js";
import { trainingFields } from "./training.js";

/** What a sweep takes beside its axes and functions. */
export interface SweepSettings {
  /**
   * A file that keeps every outcome, so that a sweep that was interrupted goes on where it was. It belongs to one `spec`: another
   * one is another experiment and is refused. Default: none.
   */
  manifest?: string | undefined;
  /**
   * All that `run` depends on beside the point, as JSON; `run` is given it, frozen. Required with a manifest, since what a function
   * has closed over cannot be compared. Default: none.
   */
  spec?: unknown;
  /**
   * Points that run at once, an integer from 1 to 1,024, or fused: all of them, so that the worker computes their training steps in
   * common batches where that is faster and in turn where it is not. The numbers are those of each point alone; so many adapters have
   * to fit the worker's memory. Default: 1.
   */
  concurrent?: number | "fused" | undefined;
  /** Whether points that failed are run again from a manifest. Default: true. */
  retryFailed?: boolean | undefined;
  /**
   * A folder into which a report is written when all points have ended: tables, curves over the axes, and all figures as JSON lines.
   * Default: none.
   */
  report?: string | undefined;
  /** Ends the sweep with the error `cancelled`, once its points have let go. Default: none. */
  signal?: AbortSignal | undefined;
}

export const sweepSettings = fieldsOf<SweepSettings>()({
  manifest: filledText("a file's path").optional(),
  spec: z.unknown().optional(),
  concurrent: z
    .union([integer(1, 1024), z.literal("fused")], { error: "an integer from 1 to 1024, or fused" })
    .default(1),
  retryFailed: flag().default(true),
  report: filledText("a folder's path").optional(),
  signal: abortSignal().optional(),
});

/** The check of an axis that is called as an option is; undefined for a name of the caller's own. */
export function axisSchema(name: string): z.ZodType | undefined {
  const shapes: Record<string, z.ZodType>[] = [
    adapterOptions.shape,
    trainingFields.shape,
    sampleFields.shape,
    ...POLICY_KINDS.map((kind) => policyDefinition(kind).options.shape as Record<string, z.ZodType>),
  ];
  return shapes.find((shape) => Object.hasOwn(shape, name))?.[name];
}
