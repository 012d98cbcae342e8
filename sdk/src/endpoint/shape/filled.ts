/** The text of an answer: as it is, or as JSON where it fills a shape. */
import type { Answer, FrozenBase } from "../../index.js";
import type { Shape, Slot } from "./shape.js";

/** A text, or why what the model wrote is none that was asked for. */
export interface Filled {
  readonly text: string;
  readonly refusal: string | undefined;
}

/**
 * What a model writes into a gap is text, whatever it looks like: between quotes it stays as it is if it is a JSON string's inside, and is
 * escaped if it is not, so that it cannot close the string. Numbers, booleans and the schema's ranges are checked: a value that does not fit
 * makes the answer a refusal, never JSON of another shape.
 */
export async function filled(
  answer: Answer,
  shape: Shape | undefined,
  base: FrozenBase,
  signal: AbortSignal,
): Promise<Filled> {
  if (shape === undefined) return { text: answer.text, refusal: undefined };
  const gaps = await gapTexts(answer, base, signal);
  let text = "";
  for (const part of shape.parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const written = gaps.shift() ?? "";
    const value = part.kind === "string" ? inQuotes(written) : literal(written);
    if (value === undefined) return refused(part, written, "is no number, true or false");
    text += value;
  }
  const problem = shape.problem(JSON.parse(text));
  return problem === undefined
    ? { text, refusal: undefined }
    : { text: "", refusal: `The model wrote ${text}, which is not as the schema says. ${problem}` };
}

/** What was written into each gap: its positions are those that are not pinned, in order. */
async function gapTexts(
  { canvasIds, pinned, gaps = [] }: Answer,
  base: FrozenBase,
  signal: AbortSignal,
): Promise<string[]> {
  const isPinned = new Set(pinned);
  const open = canvasIds.filter((_, position) => !isPinned.has(position));
  let from = 0;
  const sequences = gaps.map((length) => {
    from += length;
    return open.slice(from - length, from);
  });
  return Promise.all(sequences.map((ids) => base.decode(ids, { signal })));
}

/** The inside of a JSON string. */
function inQuotes(written: string): string {
  try {
    if (typeof JSON.parse(`"${written}"`) === "string") return written;
  } catch {
    // it has a quote, a backslash or a line's end of its own
  }
  return JSON.stringify(written).slice(1, -1);
}

function literal(written: string): string | undefined {
  const trimmed = written.trim();
  try {
    const value: unknown = JSON.parse(trimmed);
    return typeof value === "number" || typeof value === "boolean" ? trimmed : undefined;
  } catch {
    return undefined;
  }
}

function refused({ path }: Slot, written: string, why: string): Filled {
  return { text: "", refusal: `The model wrote ${JSON.stringify(written)} at ${path}, which ${why}.` };
}
