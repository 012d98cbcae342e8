/** The protocol's enumerations by the words that callers write: `mask-only` is MASK_ONLY, and UNSPECIFIED has none. */
import { LadError } from "../errors.js";

/** An enumeration as it is generated: numbers by their names, and back. */
type Enumeration = Readonly<Record<string, string | number>>;

/** The words of an enumeration. */
export type Word<E extends Enumeration> = Hyphenated<Exclude<keyof E & string, "UNSPECIFIED">>;

type Hyphenated<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}-${Hyphenated<Tail>}`
  : Lowercase<Name>;

/** The number that stands for a word. */
export function numberOf<E extends Enumeration>(enumeration: E, word: Word<E>): E[keyof E] {
  return enumeration[word.toUpperCase().replaceAll("-", "_")] as E[keyof E];
}

/**
 * The word for a number. A worker of the same protocol version sends no other.
 *
 * @throws LadError `internal`
 */
export function wordOf<E extends Enumeration>(enumeration: E, value: number): Word<E> {
  const name = enumeration[value];
  if (typeof name !== "string" || name === "UNSPECIFIED") {
    throw new LadError("internal", `The worker sent ${value}, which is none of ${wordsOf(enumeration)}.`);
  }
  return hyphenated(name) as Word<E>;
}

/** Every word of an enumeration, by its number. */
export function wordsOf<E extends Enumeration>(enumeration: E): Word<E>[] {
  return Object.values(enumeration)
    .filter((name) => typeof name === "string" && name !== "UNSPECIFIED")
    .map((name) => hyphenated(name as string) as Word<E>);
}

function hyphenated(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
