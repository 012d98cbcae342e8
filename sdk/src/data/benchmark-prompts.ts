/** The prompts of a benchmark's file, or of its split on the hub, whatever the names of its columns. */
import { readFile } from "node:fs/promises";
import type { Client } from "../client.js";
import { LadError } from "../errors.js";
import type { CheckedPlainSource, Example } from "../options.js";
import { unreadable } from "./local-bytes.js";
import { readRows } from "./rows.js";

/** Columns that a prompt is read from: of this package's examples, then of ARC, MMLU and GSM8K, of HellaSwag, of MATH, of others. */
const COLUMNS = ["instruction", "question", "ctx", "problem", "prompt"] as const;

/**
 * Each row's prompt as an example without an answer.
 *
 * @throws LadError `not-found` for a missing file, `invalid-data` with the line of a row that has no prompt
 */
export async function filePrompts(path: string): Promise<Example[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const rows = text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== "");
  if (rows.length === 0) throw noPrompt(path, "it has no rows");
  return rows.map(({ line, number }) => asked(promptOf(parsed(line, number, path), `line ${number}`, path)));
}

/**
 * The same of a split on the hub, whose rows the worker reads with all of their columns.
 *
 * @throws LadError `not-found` for a split that there is not, `invalid-data` with the number of a row that has no prompt
 */
export async function hubPrompts(
  client: Client,
  source: Extract<CheckedPlainSource, { hub: object }>,
  signal: AbortSignal | undefined,
): Promise<Example[]> {
  const { name } = source.hub;
  const rows = await readRows(client, source, signal);
  if (rows.length === 0) throw noPrompt(name, "it has no rows");
  return rows.map((row, i) => asked(promptOf(row, `row ${i}`, name)));
}

function asked(instruction: string): Example {
  return { instruction, output: "" };
}

function parsed(line: string, number: number, path: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw noPrompt(path, `line ${number} is not JSON`, cause);
  }
}

function promptOf(row: unknown, place: string, source: string): string {
  const columns = typeof row === "object" && row !== null ? (row as Record<string, unknown>) : {};
  const found = chatPrompt(columns) ?? COLUMNS.map((name) => textOf(columns[name])).find((text) => text);
  if (found !== undefined) return typeof columns.input === "string" ? `${found}\n${columns.input}` : found;
  const names = Object.keys(columns).join(", ") || "none";
  throw noPrompt(source, `${place} has none of ${COLUMNS.join(", ")} and messages (its columns: ${names})`);
}

/** What the user says in a chat. */
function chatPrompt({ messages }: Record<string, unknown>): string | undefined {
  if (!Array.isArray(messages)) return undefined;
  const turns = messages as { role?: unknown; content?: unknown }[];
  return filled(
    turns.flatMap((turn) => (turn?.role === "user" ? [textOf(turn.content) ?? ""] : [])).join("\n"),
  );
}

/** A text, or the stem of a question that is an object (ARC's own files). */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return filled(value);
  const stem = (value as { stem?: unknown } | null | undefined)?.stem;
  return typeof stem === "string" ? filled(stem) : undefined;
}

function filled(text: string): string | undefined {
  return text.trim() === "" ? undefined : text;
}

function noPrompt(source: string, problem: string, cause?: unknown): LadError {
  return new LadError("invalid-data", `${source}: ${problem}.`, {
    option: "without",
    value: source,
    remedy: "Give a file of JSON lines, or a split on the hub, each row with a benchmark's question.",
    cause,
  });
}
