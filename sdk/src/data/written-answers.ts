/** Answers that a base itself wrote, as data to train on: kept in a folder by what they depend on, and gone on with where a call ended. */
import { createHash } from "node:crypto";
import { open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../checks/check.js";
import { cancelled, LadError } from "../errors.js";
import { canonical } from "../json.js";
import { makeGivenFolder } from "../make-folder.js";
import type { CheckedWriting } from "../options/written-answers.js";
import { type Example, exampleSchema, type JsonlSource } from "../options.js";
import type { Answer, BaseInfo } from "../wire.js";

/** Data that a base wrote. */
export interface WrittenAnswers {
  /** The examples, in the order of the prompts: a file in the folder. */
  readonly data: JsonlSource;
  /** How many prompts there were. */
  readonly prompts: number;
  /** How many answers this call computed; the others were found. */
  readonly computed: number;
  /** How many answers reached their greatest length before they ended. */
  readonly cut: number;
  /** How many damaged lines stand in what was kept; their answers have been computed again. */
  readonly damaged: number;
}

/** What is asked of a base. */
export interface Writer {
  readonly info: BaseInfo;
  /** The prompts of examples as token ids, in order. */
  prompts(examples: readonly Example[]): Promise<number[][]>;
  /** The autoregressive answers to prompts. */
  answer(canvases: { ids: number[]; seed: bigint }[]): Promise<readonly Answer[]>;
}

/** Checked options, with the prompts on this machine and the answers' greatest length on this base. */
interface Asked extends Omit<CheckedWriting, "prompts" | "answerTokens"> {
  readonly prompts: readonly Example[] | JsonlSource;
  readonly answerTokens: number;
}

/** One answer as it is kept. */
interface Written {
  readonly row: number;
  readonly output: string;
  readonly cut: boolean;
}

/** Has all prompts answered that the folder has no answer of, and writes the data's file. */
export async function writeAnswers(writer: Writer, given: Asked): Promise<WrittenAnswers> {
  const { folder, batchPrompts, onProgress, signal } = given;
  const examples = (await read(given.prompts)).map((example) => answered(example, "."));
  const name = join(folder, nameOf(writer.info, examples, given));
  makeGivenFolder(folder);
  const { kept, damaged } = await readJournal(`${name}.journal`, examples.length);
  const missing = examples.map((_, row) => row).filter((row) => !kept.has(row));
  onProgress?.({ done: kept.size, total: examples.length });
  const prompts = missing.length > 0 ? await writer.prompts(examples) : [];
  for (let start = 0; start < missing.length; start += batchPrompts) {
    if (signal?.aborted) throw cancelled("Writing the answers", signal);
    const rows = missing.slice(start, start + batchPrompts);
    const canvases = rows.map((row) => ({ ids: prompts[row] ?? [], seed: seedOf(given.seed, row) }));
    const answers = await writer.answer(canvases);
    const lines = rows.map((row, i) => written(row, answers[i] as Answer));
    await append(`${name}.journal`, lines);
    for (const line of lines) kept.set(line.row, line);
    onProgress?.({ done: kept.size, total: examples.length });
  }
  const all = [...kept.values()].sort((a, b) => a.row - b.row);
  const wanted = all.filter(({ cut }) => given.cut === "keep" || !cut);
  const path = `${name}${given.cut === "keep" ? "-with-cut" : ""}.jsonl`;
  await replaceFile(
    path,
    wanted.map(({ row, output }) => line(answered(examples[row] as Example, output))),
  );
  return {
    data: { jsonl: path },
    prompts: examples.length,
    computed: missing.length,
    cut: all.filter(({ cut }) => cut).length,
    damaged,
  };
}

/** The base's name and a digest of all that the answers depend on. */
function nameOf(info: BaseInfo, examples: readonly Example[], given: Asked): string {
  const { name, revision, dataType } = info;
  const { answerTokens, temperature, topK, topP, seed } = given;
  const settings = { answerTokens, temperature, topK, topP, seed };
  const key = canonical({ format: 1, base: { name, revision, dataType }, settings, examples });
  const short = name.replaceAll(/[^A-Za-z0-9]+/g, "-").slice(-32);
  return `${short}-${sha256(key).slice(0, 32)}`;
}

async function read(source: readonly Example[] | JsonlSource): Promise<readonly Example[]> {
  if (!("jsonl" in source)) return source;
  const path = source.jsonl;
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new LadError("not-found", `prompts is ${path}: the file cannot be read.`, {
      option: "prompts",
      value: path,
      remedy: "Give the path of a file of JSON lines.",
      cause,
    });
  });
  const lines = text.split("\n").filter((one) => one.trim() !== "");
  return lines.map((one, i) => check(exampleSchema, parsed(one), `prompts[${i}]`));
}

/** The example with another answer. */
function answered(example: Example, output: string): Example {
  if (!("messages" in example)) return { ...example, output };
  const { messages } = example;
  const asked = messages.at(-1)?.role === "assistant" ? messages.slice(0, -1) : messages;
  return { ...example, messages: [...asked, { role: "assistant", content: output }] };
}

function seedOf(seed: bigint, row: number): bigint {
  return BigInt.asUintN(64, seed + BigInt(row));
}

function written(row: number, { text, stopped }: Answer): Written {
  return { row, output: text, cut: stopped === "length" };
}

/** Each line has its own digest: one that a crash cut, or a disk changed, counts as missing. */
async function readJournal(
  path: string,
  rows: number,
): Promise<{ kept: Map<number, Written>; damaged: number }> {
  const text = await readFile(path, "utf8").catch(() => "");
  const kept = new Map<number, Written>();
  let damaged = 0;
  for (const one of text.split("\n").filter((each) => each !== "")) {
    const [digest, content = ""] = [one.slice(0, 16), one.slice(17)];
    const value = digest === sha256(content).slice(0, 16) ? (parsed(content) as Written) : undefined;
    if (value === undefined || value.row >= rows) damaged++;
    else kept.set(value.row, value);
  }
  return { kept, damaged };
}

/** Appends whole lines, on the disk when it returns. A line that a crash cut is ended first. */
async function append(path: string, lines: readonly Written[]): Promise<void> {
  const file = await open(path, "a");
  try {
    const texts = lines
      .map((one) => JSON.stringify(one))
      .map((text) => `${sha256(text).slice(0, 16)} ${text}\n`);
    await file.appendFile(`\n${texts.join("")}`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function replaceFile(path: string, lines: readonly string[]): Promise<void> {
  const content = lines.join("");
  if ((await readFile(path, "utf8").catch(() => undefined)) === content) return;
  const fresh = `${path}.new-${process.pid}`;
  await writeFile(fresh, content);
  await rename(fresh, path);
}

function line(example: Example): string {
  return `${JSON.stringify(example)}\n`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
