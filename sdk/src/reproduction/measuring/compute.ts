/** Computes pieces: the one place that knows which function makes which. */
import type { ResultOf } from "../measured.js";
import type { Piece } from "../pieces.js";
import { answer, answerByItself } from "./answers.js";
import { benchmark } from "./benchmarks.js";
import type { Lab } from "./lab.js";
import { losses } from "./losses.js";
import { repair } from "./repairs.js";
import { trace } from "./trace.js";
import { type Computing, train } from "./training.js";

export function compute(lab: Lab, piece: Piece, computing: Computing): Promise<ResultOf<Piece>> {
  switch (piece.kind) {
    case "train":
      return train(lab, piece, computing);
    case "losses":
      return losses(lab, piece, computing);
    case "answers":
      return answer(lab, piece, computing);
    case "base":
      return answerByItself(lab, piece, computing);
    case "benchmark":
      return benchmark(lab, piece, computing);
    case "repairs":
      return repair(lab, piece, computing);
    case "trace":
      return trace(lab, piece, computing);
  }
}
