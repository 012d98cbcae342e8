/** The prompts of a benchmark's file, whatever the names of its columns. */
import { readFile } from "node:fs/promises";
import { LadError } from "../errors.js";
import type { Example } from "../options.js";
import { unreadable } from "./local-bytes.js";

/** Columns that a prompt is read from: of this package's examples, then of ARC, MMLU and GSM8K, of HellaSwag, of MATH, of others. */
const COLUMNS = ["instruction", "question", "ctx", "problem", "prompt"] as const;

/**
 * Each row's prompt as an example without an answer.
 *
 * @throws LadError `not-found` for a missing file, `invalid-data` with the line of a row that has no prompt
 */
export async function benchmarkPrompts(path: string): Promise<Example[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const rows = text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== "");
  if (rows.length === 0) throw noPrompt(path, "it has no rows");
  return rows.map(({ line, number }) => ({ instruction: promptOf(line, number, path), output: "" }));
}

function promptOf(line: string, number: number, path: string): string {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (cause) {
    throw noPrompt(path, `line ${number} is not JSON`, cause);
  }
  const columns = typeof row === "object" && row !== null ? (row as Record<string, unknown>) : {};
  const found = chatPrompt(columns) ?? COLUMNS.map((name) => textOf(columns[name])).find((text) => text);
  if (found !== undefined) return typeof columns.input === "string" ? `${found}\n${columns.input}` : found;
  const names = Object.keys(columns).join(", ") || "none";
  throw noPrompt(
    path,
    `line ${number} has none of ${COLUMNS.join(", ")} and messages (its columns: ${names})`,
  );
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

function noPrompt(path: string, problem: string, cause?: unknown): LadError {
  return new LadError("invalid-data", `${path}: ${problem}.`, {
    option: "without",
    value: path,
    remedy: "Give a file of JSON lines, each with a benchmark's question.",
    cause,
  });
}
