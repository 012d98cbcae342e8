/** Every figure by its name. */

import type { Figure } from "../harness/figure.js";
import { ablations } from "./ablations.js";
import { answersAtQuality } from "./answers-at-quality.js";
import { autoregressive } from "./autoregressive.js";
import { decoding } from "./decoding.js";
import { endpoint } from "./endpoint.js";
import { latency } from "./latency.js";
import { likelihood } from "./likelihood.js";
import { llada } from "./llada.js";
import { neighbour } from "./neighbour.js";
import { overhead } from "./overhead.js";
import { samplingConcurrent } from "./sampling-concurrent.js";
import { samplingSingle } from "./sampling-single.js";
import { scaling } from "./scaling.js";
import { startup } from "./startup.js";
import { stress } from "./stress.js";
import { timeToLoss } from "./time-to-loss.js";
import { trainingFused } from "./training-fused.js";
import { trainingStep } from "./training-step.js";

export const FIGURES: Readonly<Record<string, Figure>> = {
  "training-step": trainingStep,
  "training-fused": trainingFused,
  "sampling-single": samplingSingle,
  "sampling-concurrent": samplingConcurrent,
  llada,
  autoregressive,
  likelihood,
  decoding,
  "answers-at-quality": answersAtQuality,
  "time-to-loss": timeToLoss,
  ablations,
  latency,
  endpoint,
  neighbour,
  overhead,
  startup,
  scaling,
  stress,
};
