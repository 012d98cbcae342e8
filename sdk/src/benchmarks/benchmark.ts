/** A benchmark: rows in a known schema, and how each becomes a question. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import { check } from "../checks/check.js";
import { integer, seed } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type Row, type RowSource, rowSourceSchema } from "../options/data/rows.js";

/**
 * How an answer is judged. `likelihood`: the choice that the model finds most likely; `letter`: the model writes an answer that begins
 * with a choice's letter; `number`: the last number that it writes; `text`: what it writes, white space and case apart.
 */
export type ScoredBy = "likelihood" | "letter" | "number" | "text";

/** What every benchmark takes. */
export interface BenchmarkOptions {
  /** Its rows, in the schema of the data set on the hub: objects, `jsonl(…)` or `hub(…)`. */
  data: RowSource;
  /** Only so many of the rows, from the first on: an integer of at least 0. Default: 0, all. */
  limit?: number | undefined;
  /** Answered questions before each question: an integer from 0 to 100. Default: 0. */
  shots?: number | undefined;
  /** Rows that the shots are drawn from. Default: those of `data`, a question's own left out. */
  shotData?: RowSource | undefined;
  /** Keys which rows are shots: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
}

export const benchmarkShape = {
  data: rowSourceSchema,
  limit: integer(0).default(0),
  shots: integer(0, 100).default(0),
  shotData: rowSourceSchema.optional(),
  seed: seed().default(0n),
};

export const benchmarkOptions = fieldsOf<BenchmarkOptions>()(benchmarkShape);

/** What a row says: its question in both forms in which it is put, and what is right. */
export interface RowQuestion {
  /** The row's own name, if it has one. */
  readonly id?: string | undefined;
  /** Rows of one topic have their shots from that topic. */
  readonly topic?: string | undefined;
  /** What a model that goes on with a text is told first. */
  readonly preamble?: string | undefined;
  /** What such a model goes on with, up to the space before its answer. */
  readonly prompt: string;
  /** How a chat is asked. */
  readonly asked: string;
  /** What can be chosen, as a likelihood is computed of it. */
  readonly choices: readonly string[];
  /** What a chat answers for each choice, such as `B: the text`. */
  readonly written: readonly string[];
  /** The number of the right choice; −1 where nothing is chosen. */
  readonly right: number;
  /** The right answer, as shots tell it. */
  readonly answer: string;
}

/** How one kind of benchmark reads its rows. */
export interface BenchmarkDefinition {
  readonly kind: string;
  /** The ways in which its answers can be judged. */
  readonly by: readonly ScoredBy[];
  /** @throws LadError `invalid-option` that names what a row lacks */
  read(row: Row, path: string): RowQuestion;
}

type CheckedBenchmark = z.output<typeof benchmarkOptions>;

/** A benchmark, made with `arcEasy({ data })`, `mmlu({ data })`, `multipleChoice({ … })`, … */
export class Benchmark {
  /** Names it, such as `arc-easy`. */
  readonly kind: string;
  /** The ways in which its answers can be judged. */
  readonly by: readonly ScoredBy[];
  /** What its own template is made of; undefined for a benchmark that has none. */
  readonly template: Readonly<Record<string, string>> | undefined;
  readonly #definition: BenchmarkDefinition;
  readonly #options: CheckedBenchmark;

  /** @internal */
  constructor(
    definition: BenchmarkDefinition,
    options: BenchmarkOptions,
    template?: Readonly<Record<string, string>>,
  ) {
    this.kind = definition.kind;
    this.by = definition.by;
    this.#options = check(benchmarkOptions, options);
    this.template = template;
    this.#definition = definition;
  }

  /**
   * Its options, complete.
   *
   * @internal
   */
  complete(): CheckedBenchmark {
    return this.#options;
  }

  /**
   * The questions of its rows.
   *
   * @internal
   * @throws LadError `invalid-option` that names what a row lacks
   */
  questions(rows: readonly Row[], name: string): RowQuestion[] {
    return rows.map((row, index) => this.#definition.read(row, `${name}[${index}]`));
  }
}

/** SHA-256 of rows, in hexadecimal: equal rows have equal digests, wherever they come from. */
export function rowsDigest(rows: readonly Row[]): string {
  const hash = createHash("sha256");
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest("hex");
}
