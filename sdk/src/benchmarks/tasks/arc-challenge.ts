import { Benchmark, type BenchmarkOptions } from "../benchmark.js";
import { readArc } from "./arc-rows.js";

/**
 * ARC-Challenge: those of the questions that looking up and co-occurrence do not answer. Rows are those of the hub's `allenai/ai2_arc`,
 * `ARC-Challenge`.
 */
export function arcChallenge(options: BenchmarkOptions): Benchmark {
  return new Benchmark({ kind: "arc-challenge", by: ["likelihood", "letter"], read: readArc }, options);
}
