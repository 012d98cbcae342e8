/** What a sweep over LoRA ranks found, as a table. */
import { bytes, number, percent } from "./numbers.js";
import { type Column, renderTable } from "./table.js";

/** What a set of answers is worth. */
export interface AnswerFigures {
  /** Under the causal base. */
  readonly perplexity: number;
  /** Unique bigrams / bigrams. */
  readonly distinct2: number;
  /** The share of answers that are right to the letter. */
  readonly exactMatch: number;
}

/** One rank's figures; CE in nats per corrupted token. */
export interface RankRow {
  /** The adapter's. */
  readonly rank: number;
  /** Numbers that training changed. */
  readonly trainableParameters: number;
  /** Of the training steps alone. */
  readonly tokensPerSecond: number;
  /** Over the last steps. */
  readonly trainCe: number;
  /** Over all corrupted tokens of the validation data. */
  readonly validationCe: number;
  /** The same over the answers' own tokens. */
  readonly validationContentCe: number;
  /** The same over their EOS tails. */
  readonly validationTailCe: number;
  /** The unadapted base's, on the same corrupted tokens. */
  readonly baseCe: number;
  /** Weights, gradients and optimizer state of the adapter. */
  readonly accountedBytes: number;
  /** What self-refining answers are worth, by the number of iterations. */
  readonly refine: Readonly<Record<string, AnswerFigures>>;
  /** The same with re-masking. */
  readonly remask: Readonly<Record<string, AnswerFigures>>;
  /** The figures of the base by itself. */
  readonly autoregressive: AnswerFigures;
  /** Self-speculation: the adapter's drafts give the base's own answers, so its exact match is `autoregressive`'s. */
  readonly speculative: {
    /** Tokens of an answer through its first EOS over the forwards of both, 1 for the base by itself. */
    readonly tokensPerForward: number;
  };
}

type Sampled = "refine" | "remask";

/**
 * Two tables: training, a line a rank; answers, a line for each rank and policy, and the autoregressive base's below. A line
 * `speculative` says in how few forwards a rank's drafts give the base's answers, which are not the adapter's.
 */
export function rankTable(rows: readonly RankRow[]): string {
  return `${renderTable(TRAINING, rows)}\n\n${renderTable(answerColumns(rows), answerLines(rows))}`;
}

const TRAINING: Column<RankRow>[] = [
  { header: "rank", cell: ({ rank }) => String(rank) },
  { header: "trainable", cell: (row) => number(row.trainableParameters) },
  { header: "tokens/s", cell: (row) => number(Math.round(row.tokensPerSecond)) },
  { header: "train CE", cell: (row) => row.trainCe.toFixed(3) },
  { header: "validation CE", cell: (row) => row.validationCe.toFixed(3) },
  { header: "content", cell: (row) => row.validationContentCe.toFixed(3) },
  { header: "tail", cell: (row) => row.validationTailCe.toFixed(3) },
  { header: "base's CE", cell: (row) => row.baseCe.toFixed(3) },
  { header: "memory", cell: (row) => bytes(row.accountedBytes) },
];

interface AnswerLine {
  readonly name: string;
  readonly policy: string;
  /** By the number of iterations; the autoregressive base has one figure alone, self-speculation none of its own. */
  readonly figures: Readonly<Record<string, AnswerFigures>>;
  readonly tokensPerForward?: number;
}

function answerLines(rows: readonly RankRow[]): AnswerLine[] {
  const policies: Sampled[] = ["refine", "remask"];
  const lines: AnswerLine[] = rows.flatMap((row) => {
    const name = `rank ${row.rank}`;
    const sampled = policies.map((policy) => ({ name, policy, figures: row[policy] }));
    return [...sampled, { name, policy: "speculative", figures: {}, ...row.speculative }];
  });
  const [first] = rows;
  if (first === undefined) return lines;
  const last = Object.keys(first.refine).at(-1) ?? "";
  return [
    ...lines,
    {
      name: "the base",
      policy: "autoregressive",
      figures: { [last]: first.autoregressive },
      tokensPerForward: 1,
    },
  ];
}

/** The figures after the first, middle and last number of iterations, kind by kind. */
function answerColumns(rows: readonly RankRow[]): Column<AnswerLine>[] {
  const iterations = Object.keys(rows[0]?.refine ?? {});
  const columns = (what: string, show: (figures: AnswerFigures) => string): Column<AnswerLine>[] =>
    iterations.map((count, index) => ({
      header: index === 0 ? `${what} ${count}` : count,
      cell: ({ figures }) => (figures[count] === undefined ? "" : show(figures[count])),
    }));
  return [
    { header: "answers", cell: ({ name }) => name, align: "left" },
    { header: "policy, iterations:", cell: ({ policy }) => policy, align: "left" },
    ...columns("perplexity", ({ perplexity }) => number(perplexity)),
    ...columns("distinct-2", ({ distinct2 }) => distinct2.toFixed(2)),
    ...columns("exact match", ({ exactMatch }) => percent(exactMatch)),
    {
      header: "tokens/forward",
      cell: ({ tokensPerForward }) => (tokensPerForward === undefined ? "" : number(tokensPerForward)),
    },
  ];
}
