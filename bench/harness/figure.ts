/** What a figure is: what of the command line it understands, and how it is measured. */
import type { Bench } from "./bench.js";
import type { Measurable, Repository } from "./options.js";
import type { Outcome, Report } from "./result.js";

export const LAD_GENERIC: Repository = { name: "RuurdKuiper/lad-generic", folder: "src/diffusion_lm" };
export const DLLM: Repository = { name: "ZHZisZZ/dllm", folder: "dllm/core/samplers" };

export interface Figure extends Measurable {
  measure(bench: Bench): Promise<Outcome | Report>;
}
