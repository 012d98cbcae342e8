/** The items of a benchmark: its questions, each with its shots. */
import { invalidOption, LadError } from "../errors.js";
import { equalsBefore } from "../evaluation/questions.js";
import type { FrozenBase } from "../frozen-base.js";
import { permutation } from "../method/data-order.js";
import type { ChatMessage } from "../options.js";
import { type Benchmark, type RowQuestion, rowsDigest } from "./benchmark.js";

/** A question as it is put to a model. */
export interface BenchmarkItem {
  /** The row's own name, or its number. */
  readonly id: string;
  /** The row's number, from 0. */
  readonly row: number;
  readonly question: RowQuestion;
  /** For a model that goes on with a text: preamble, shots, question. */
  readonly prompt: string;
  /** For one that goes on with a text and writes its answer: where there are choices, the questions and answers have their letters. */
  readonly writtenPrompt: string;
  /** For a chat: a turn of user and assistant for each shot, then the question. */
  readonly messages: readonly ChatMessage[];
  /** How many items before it ask the same, of the same right answer. */
  readonly equalsBefore: number;
}

/** A benchmark's items, and digests of the rows that they are made of. */
export interface BenchmarkItems {
  readonly items: readonly BenchmarkItem[];
  /** SHA-256 of the rows. */
  readonly data: string;
  /** SHA-256 of the rows that the shots are drawn from; undefined without shots. */
  readonly shotData: string | undefined;
}

/** @throws LadError `not-found`, `invalid-data`, `invalid-option` that name what is wrong with the rows */
export async function itemsOf(
  base: FrozenBase,
  benchmark: Benchmark,
  signal: AbortSignal | undefined,
): Promise<BenchmarkItems> {
  const { data, limit, shots, shotData, seed } = benchmark.complete();
  const all = await base.rows(data, { signal });
  const rows = limit === 0 ? all : all.slice(0, limit);
  const questions = benchmark.questions(rows, "data");
  const others = shots > 0 && shotData !== undefined ? await base.rows(shotData, { signal }) : undefined;
  const pool = others ?? all;
  const answered = shots === 0 ? [] : benchmark.questions(pool, others ? "shotData" : "data");
  const order = shots === 0 ? [] : [...permutation(seed, 0, pool.length)];
  const put = questions.map((question, row) => {
    const candidates = order.filter(
      (other) => !(others === undefined && other === row) && answered[other]?.topic === question.topic,
    );
    if (candidates.length < shots) throw tooFew(shots, candidates.length, question.topic);
    const before = candidates.slice(0, shots).map((other) => answered[other] as RowQuestion);
    return itemOf(question, row, before);
  });
  checkNames(put);
  const equals = equalsBefore(put.map(contentOf));
  const items = put.map((item, i) => ({ ...item, equalsBefore: equals[i] ?? 0 }));
  return { items, data: rowsDigest(rows), shotData: shots === 0 ? undefined : rowsDigest(pool) };
}

/** An item, whatever others there are. */
type PutItem = Omit<BenchmarkItem, "equalsBefore">;

function contentOf({ prompt, messages, question }: PutItem): string {
  return JSON.stringify([prompt, messages, question.answer]);
}

function itemOf(question: RowQuestion, row: number, shots: readonly RowQuestion[]): PutItem {
  const { preamble = "" } = question;
  const answered = shots.map(({ prompt, answer }) => `${prompt} ${answer}\n\n`);
  const written = shots.map((shot) => `${writtenQuestion(shot)} ${writtenAnswer(shot)}\n\n`);
  const turns = shots.flatMap((shot): ChatMessage[] => [
    { role: "user", content: shot.asked },
    { role: "assistant", content: writtenAnswer(shot) },
  ]);
  return {
    id: question.id ?? String(row),
    row,
    question,
    prompt: [preamble, ...answered, question.prompt].join(""),
    writtenPrompt: [preamble, ...written, writtenQuestion(question)].join(""),
    messages: [...turns, { role: "user", content: question.asked }],
  };
}

function writtenQuestion({ prompt, asked, written }: RowQuestion): string {
  return written.length > 0 ? `${asked}\nAnswer:` : prompt;
}

function writtenAnswer({ written, right, answer }: RowQuestion): string {
  return written[right] ?? answer;
}

function checkNames(items: readonly PutItem[]): void {
  const seen = new Set<string>();
  for (const { id, row } of items) {
    if (seen.has(id)) {
      throw new LadError("invalid-data", `data[${row}].id is ${id}: another row has that name.`, {
        option: `data[${row}].id`,
        value: id,
        remedy: "Give each row a name of its own, or none.",
      });
    }
    seen.add(id);
  }
}

function tooFew(shots: number, found: number, topic: string | undefined): LadError {
  const of = topic === undefined ? "" : ` of ${topic}`;
  const remedy = "Give fewer shots, or more shotData.";
  return invalidOption("shots", shots, `there are only ${found} other rows${of}`, remedy);
}
