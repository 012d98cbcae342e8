/** Answers that are judged by their last number. */

/** The last number of a text, without currency signs and thousands' commas; undefined where there is none. */
export function lastNumber(text: string): number | undefined {
  const all = text.match(/-?\$?\d[\d,]*(?:\.\d+)?|-?\$?\.\d+/g);
  const last = all?.at(-1);
  return last === undefined ? undefined : Number(last.replaceAll(/[$,]/g, ""));
}
