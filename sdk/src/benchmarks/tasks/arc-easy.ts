import { Benchmark, type BenchmarkOptions } from "../benchmark.js";
import { readArc } from "./arc-rows.js";

/** ARC-Easy: questions of school science with three to five choices. Rows are those of the hub's `allenai/ai2_arc`, `ARC-Easy`. */
export function arcEasy(options: BenchmarkOptions): Benchmark {
  return new Benchmark({ kind: "arc-easy", by: ["likelihood", "letter"], read: readArc }, options);
}
