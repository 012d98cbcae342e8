/** Splits JSON lines in two: where an example goes depends on its text and a seed alone. */
import { createHash } from "node:crypto";
import { LadError } from "../errors.js";
import type { SplitPart } from "../options.js";

/** Which part is wanted. */
interface Part extends Pick<SplitPart, "part" | "validation"> {
  readonly seed: bigint;
}

const TEXTS = ["messages", "system", "instruction", "input", "output"] as const;
const DRAWN_BITS = 48;
const BLANK = Buffer.from("\n");

/**
 * The lines of one part in order; a blank line stands for each of the other's, so that their numbers stay. A line that is no object is
 * of both, to be refused.
 *
 * @throws LadError `invalid-data` for a part without examples
 */
export async function* partOf(
  bytes: AsyncIterable<Uint8Array>,
  { part, validation, seed }: Part,
): AsyncGenerator<Buffer, void, undefined> {
  let isEmpty = true;
  for await (const lines of wholeLines(bytes)) {
    const own = lines.map((line) => {
      const drawn = drawnOf(line, seed);
      const isOwn = drawn === undefined || drawn < validation === (part === "validation");
      isEmpty &&= !isOwn || isBlank(line);
      return isOwn ? line : BLANK;
    });
    if (own.length > 0) yield Buffer.concat(own);
  }
  if (isEmpty) throw nothingIn(part, validation);
}

function nothingIn(part: string, validation: number): LadError {
  return new LadError("invalid-data", `No example falls into the ${part} part of the split.`, {
    option: "split.validation",
    value: validation,
    remedy: `Give a ${part === "train" ? "smaller" : "larger"} validation, another seed, or more examples.`,
  });
}

/** Lines with their ends, some at a time. */
async function* wholeLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer[], void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const piece of bytes) {
    const whole = Buffer.concat([rest, piece]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = whole.indexOf(10); end >= 0; end = whole.indexOf(10, start)) {
      lines.push(whole.subarray(start, end + 1));
      start = end + 1;
    }
    rest = whole.subarray(start);
    yield lines;
  }
  if (rest.length > 0) yield [rest];
}

/** A number in [0, 1): the first bits of the SHA-256 of the seed and the texts. */
function drawnOf(line: Buffer, seed: bigint): number | undefined {
  const texts = textsOf(line.toString("utf8").replace(/^\uFEFF/, ""));
  if (texts === undefined) return undefined;
  const digest = createHash("sha256").update(`${seed}\n${texts}`).digest();
  return digest.readUIntBE(0, DRAWN_BITS / 8) / 2 ** DRAWN_BITS;
}

function isBlank(line: Buffer): boolean {
  return line.toString("utf8").trim() === "";
}

/** What an example says, in one form: not its id, weight and source, nor other columns. */
function textsOf(line: string): string | undefined {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row !== "object" || row === null || Array.isArray(row)) return undefined;
    const columns = row as Record<string, unknown>;
    return JSON.stringify(TEXTS.map((name) => columns[name] ?? ""));
  } catch {
    return undefined;
  }
}
