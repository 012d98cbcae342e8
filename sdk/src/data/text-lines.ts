/** The text of a file's bytes, whole or line by line. */
import { LadError } from "../errors.js";

/**
 * Lines without their ends.
 *
 * @throws LadError `invalid-data` for bytes that are not UTF-8
 */
export async function* textLines(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const text of texts(bytes, path)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Text in pieces, without the mark that a file may begin with. */
export async function* texts(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decoded = (piece?: Uint8Array) => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch (cause) {
      throw new LadError("invalid-data", `data is ${path}: it is not UTF-8.`, {
        option: "data",
        value: path,
        remedy: "Save the file as UTF-8.",
        cause,
      });
    }
  };
  for await (const piece of bytes) yield decoded(piece);
  yield decoded();
}
