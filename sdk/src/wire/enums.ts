/** Translates the protocol's enumerations to the words of options and back: `mask-only` is MASK_ONLY; UNSPECIFIED has no word. */
import { LadError } from "../errors.js";

/** A generated enumeration: numbers by their names, and names by their numbers. */
type Enumeration = Readonly<Record<string, string | number>>;

/** The words of an enumeration. */
export type Word<E extends Enumeration> = Hyphenated<Exclude<keyof E & string, "UNSPECIFIED">>;

type Hyphenated<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}-${Hyphenated<Tail>}`
  : Lowercase<Name>;

/** The number of a word. */
export function numberOf<E extends Enumeration>(enumeration: E, word: Word<E>): E[keyof E] {
  return enumeration[word.toUpperCase().replaceAll("-", "_")] as E[keyof E];
}

/**
 * The word of a number. A worker of the same protocol version sends no unknown number.
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

/** All words of an enumeration, in the order of their numbers. */
export function wordsOf<E extends Enumeration>(enumeration: E): Word<E>[] {
  return Object.values(enumeration)
    .filter((name) => typeof name === "string" && name !== "UNSPECIFIED")
    .map((name) => hyphenated(name as string) as Word<E>);
}

function hyphenated(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
