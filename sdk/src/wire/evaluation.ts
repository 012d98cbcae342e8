import type * as pb from "../gen/lad/v1/evaluation.js";
import type { Likelihood } from "../options/evaluation/likelihood.js";
import type { Score } from "../results/evaluation.js";
import { toCase } from "./oneofs.js";
import { fromFloat32Bytes } from "./tensors.js";

export function toLikelihood(likelihood: Likelihood): pb.Likelihood {
  return { kind: toCase(likelihood) };
}

export function fromScore({ tokenLogLikelihoods, ...score }: pb.Score): Score {
  return { ...score, tokenLogLikelihoods: fromFloat32Bytes(tokenLogLikelihoods) };
}
