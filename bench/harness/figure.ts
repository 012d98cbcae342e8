/** What a figure is: how it is measured, and what of the command line it understands. */
import type { Bench } from "./bench.js";
import type { Outcome } from "./result.js";

export interface Repository {
  readonly name: string;
  readonly folder: string;
}

export const LAD_GENERIC: Repository = { name: "RuurdKuiper/lad-generic", folder: "src/diffusion_lm" };
export const DLLM: Repository = { name: "ZHZisZZ/dllm", folder: "dllm/core/samplers" };

export interface Figure {
  /** What is measured against what, in one sentence. */
  readonly about: string;
  /** The base that is measured unless another is named. */
  readonly base: string;
  /** The options that mean something here, beside those that every figure takes. */
  readonly takes: readonly ("profile" | "attention" | "device" | "allocator" | "compile" | "minutes")[];
  /** The repository that a checkout may be given of, and a folder in it that tells it from others. */
  readonly against?: Repository;
  measure(bench: Bench): Promise<Outcome>;
}
