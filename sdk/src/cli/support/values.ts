/** Values of flags: numbers, lists, kinds with their settings. */
import { InvalidArgumentError } from "commander";
import { parse } from "yaml";
import { guessOf } from "../../checks/nearest.js";

/** A whole number of at least 0. */
export function integer(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

/** A number, also as 2e-2. */
export function decimal(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

/** Whole numbers with commas between them. */
export function integers(text: string): number[] {
  return text.split(",").map(integer);
}

/** A share of a whole. */
export function share(text: string): number {
  const value = decimal(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("It must be a number above 0 and below 1.");
}

/** One of some words. `meant` has others that some type for them; a mistyped one is answered with the nearest. */
export function choice<const Word extends string>(
  words: readonly Word[],
  meant: Readonly<Record<string, Word>> = {},
): (text: string) => Word {
  return (text) => {
    const word = words.find((one) => one === text);
    if (word !== undefined) return word;
    const guess = guessOf(Object.hasOwn(meant, text) ? (meant[text] ?? text) : text, words);
    throw new InvalidArgumentError(`${guess}Give one of ${words.join(", ")}.`);
  };
}

/** A number of seconds above 0. */
export function seconds(text: string): number {
  const value = decimal(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("It must be a number of seconds above 0.");
}

/** A seed of up to 64 bits. */
export function seed(text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return BigInt(text);
}

/** `a,b` */
export function words(text: string): string[] {
  return text.split(",").filter((word) => word !== "");
}

/**
 * A kind with settings, such as a policy or a noise: `remask`, `remask:iterations=8,sharpness=2`, or a JSON object with its `kind`.
 * Its options are checked where they are used.
 */
// biome-ignore lint/suspicious/noExplicitAny: the value is checked by the call that takes it
export function kind(text: string): any {
  if (text.startsWith("{")) return json(text);
  const [, name = text, settings] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  return settings === undefined ? name : { ...assignments(settings.split(",")), kind: name };
}

/** `key=value` of each, values as in YAML; a dotted key leads into an object. */
export function assignments(texts: readonly string[]): Record<string, unknown> {
  return overlaid({}, texts);
}

/** A copy of an object with a value in place for each `key=value`; what a dotted key leads through is copied too. */
export function overlaid(target: object, texts: readonly string[]): Record<string, unknown> {
  return texts.reduce<Record<string, unknown>>(
    (values, text) => {
      const [, path, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (path === undefined) throw new InvalidArgumentError(`${text} is no key=value.`);
      return put(values, path.trim().split("."), scalar(value ?? ""));
    },
    { ...target },
  );
}

/** A flag that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  assignments([text]); // a mistake is told as one of the flag
  return [...before, text];
}

function put(
  target: Record<string, unknown>,
  [key = "", ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const inner = Object.hasOwn(target, key) && typeof target[key] === "object" ? target[key] : {};
  const placed = rest.length === 0 ? value : put({ ...(inner as object) }, rest, value);
  return Object.fromEntries([...Object.entries(target).filter(([name]) => name !== key), [key, placed]]);
}

function scalar(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError("It begins as JSON, but is none.");
  }
}
