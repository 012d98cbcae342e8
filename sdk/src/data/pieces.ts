/** Gives every token a text of its own, so that the texts join to that of all. */

/** Gives the texts of sequences, with special tokens. */
export type Decode = (sequences: readonly (readonly number[])[]) => Promise<string[]>;

/** What part of a letter decodes to. */
const PART = "\uFFFD";
/** Decoded beginnings that are kept. */
const KEPT = 4096;

/**
 * Splits text by tokens. Of a letter that several tokens make up, the last one has the whole and the others have none of it, as when an
 * answer is streamed. What is decoded once is not asked for again.
 */
export class TokenPieces {
  readonly #known = new Map<string, string>();

  async of(ids: readonly number[], decode: Decode): Promise<string[]> {
    const single = ids.map((id) => [id]);
    const alone = await this.#texts(single, decode);
    const runs = runsOf(alone).filter(({ length }) => length > 1);
    const beginnings = runs.flatMap(({ from, length }) =>
      Array.from({ length }, (_, i) => ids.slice(from, from + i + 1)),
    );
    const decoded = await this.#texts(beginnings, decode);
    const pieces = [...alone];
    for (const { from, length } of runs)
      pieces.splice(from, length, ...differences(decoded.splice(0, length)));
    return pieces;
  }

  async #texts(sequences: readonly (readonly number[])[], decode: Decode): Promise<string[]> {
    const texts = new Map(sequences.map((ids) => [String(ids), this.#known.get(String(ids))]));
    const unknown = [...texts].flatMap(([key, text]) => (text === undefined ? [key] : []));
    const asked = unknown.map((key) => key.split(",").map(Number));
    const decoded = asked.length > 0 ? await decode(asked) : [];
    unknown.forEach((key, i) => {
      texts.set(key, decoded[i] ?? "");
      this.#keep(key, decoded[i] ?? "");
    });
    return sequences.map((ids) => texts.get(String(ids)) ?? "");
  }

  /** Single tokens stay; beginnings of letters are forgotten when they are many. */
  #keep(key: string, text: string): void {
    if (this.#known.size > KEPT && key.includes(",")) {
      for (const old of this.#known.keys()) if (old.includes(",")) this.#known.delete(old);
    }
    this.#known.set(key, text);
  }
}

interface Run {
  readonly from: number;
  readonly length: number;
}

/** Where consecutive tokens hold parts of letters. A token of whole letters begins with one, so that it ends such a run. */
function runsOf(alone: readonly string[]): Run[] {
  const runs: Run[] = [];
  let from = 0;
  for (let i = 0; i <= alone.length; i++) {
    if (alone[i]?.includes(PART)) continue;
    if (i > from) runs.push({ from, length: i - from });
    from = i + 1;
  }
  return runs;
}

/** What each beginning has more than those before it; a part of a letter at its end waits for the next one. */
function differences(beginnings: readonly string[]): string[] {
  let shown = "";
  return beginnings.map((text, i) => {
    const whole = i === beginnings.length - 1 ? text : text.replace(/\uFFFD+$/, "");
    const more = whole.slice(shown.length);
    if (whole.length > shown.length) shown = whole;
    return more;
  });
}
