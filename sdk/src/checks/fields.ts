/** Schemas for the values of options. Each schema's message completes the sentence "it must be …". */
import { z } from "zod";

/** The largest number that the protocol's uint32 holds. */
export const MAX_UINT32 = 2 ** 32 - 1;
/** The largest number that the worker's float32 holds. */
export const MAX_FLOAT32 = 3.4028234663852886e38;

/** The remedy for a key that an object does not have but that belongs elsewhere: a sentence that ends with . or ? */
export type Misplaced = (key: string, value: unknown) => string | undefined;

/** An object with these keys and no others. */
export function fields<Shape extends z.ZodRawShape>(shape: Shape, misplaced?: Misplaced) {
  const keys = Object.keys(shape).join(", ");
  const remedy = ([key = ""]: readonly string[], input: unknown) =>
    misplaced?.(key, (input as Record<string, unknown> | undefined)?.[key]) ?? keys;
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? remedy(issue.keys as string[], issue.input) : "an object",
  });
}

/** The same object without some of its keys. */
export function without<Shape extends z.ZodRawShape, Key extends keyof Shape & string>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  ...keys: readonly Key[]
) {
  const omitted: readonly string[] = keys;
  const rest = Object.entries(schema.shape).filter(([key]) => !omitted.includes(key));
  return fields(Object.fromEntries(rest) as unknown as Omit<Shape, Key>);
}

export function integer(min: number, max = MAX_UINT32) {
  const error = max === MAX_UINT32 ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

/** A finite number from `min` to `max`, both included. */
export function number(min: number, max: number) {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** A number x with 0 ≤ x < 1. */
export function fractionBelowOne() {
  const error = "a number from 0 to below 1";
  return z.number({ error }).min(0, { error }).lt(1, { error });
}

export function atLeast(min: number) {
  const error = `a finite number of at least ${min}`;
  return z
    .number({ error })
    .min(min, { error })
    .max(MAX_FLOAT32, { error: `${error} that float32 holds` });
}

export function above(min: number) {
  const error = `a finite number above ${min}`;
  return z
    .number({ error })
    .gt(min, { error })
    .max(MAX_FLOAT32, { error: `${error} that float32 holds` });
}

export function probability() {
  return number(0, 1);
}

/** A number x with 0 < x ≤ 1. */
export function share() {
  const error = "a number above 0 and at most 1";
  return z.number({ error }).gt(0, { error }).max(1, { error });
}

export function flag() {
  return z.boolean({ error: "true or false" });
}

export function text() {
  return z.string({ error: "a string" }).refine(isWhole, { error: WHOLE });
}

export function filledText(what = "a string that is not empty") {
  return z.string({ error: what }).min(1, { error: what }).refine(isWhole, { error: WHOLE });
}

const WHOLE = "text without half of a surrogate pair";

/** Whether a text is of whole characters; half of a surrogate pair is none, and UTF-8 cannot hold it. */
function isWhole(value: string): boolean {
  return !/\p{Surrogate}/u.test(value);
}

/** Printable ASCII that no error shows. Surrounding white space, such as a file's line end, is trimmed. */
export function secret(what: string) {
  const isPrintable = (value: unknown) => typeof value === "string" && /^\s*[\x21-\x7e]+\s*$/.test(value);
  return z.custom<string>(isPrintable, { error: what, params: { secret: true } }).transform((t) => t.trim());
}

/** A name of something in the worker's store. */
export function storedName() {
  const error = "1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit";
  return z.string({ error }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `one of ${values.join(", ")}` });
}

/** An unsigned 64-bit integer, as a number (up to 2⁵³ − 1) or a bigint. */
export function seed() {
  return z
    .custom<number | bigint>(isSeed, { error: "an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint)" })
    .transform((value) => BigInt(value));
}

export function abortSignal() {
  return z.instanceof(AbortSignal, { error: "an AbortSignal" });
}

/** The time that a call may take, in milliseconds. */
export function timeLimit() {
  const isLimit = (value: unknown) =>
    value === Number.POSITIVE_INFINITY ||
    (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31);
  return z.custom<number>(isLimit, { error: `an integer from 0 to ${2 ** 31 - 1}, or Infinity` });
}

export function callback<Type extends (...values: never[]) => unknown>() {
  return z.custom<Type>((value) => typeof value === "function", { error: "a function" });
}

/** A list of at least one item. */
export function list<Item extends z.ZodType>(item: Item, what: string, max = Number.MAX_SAFE_INTEGER) {
  return z.array(item, { error: what }).min(1, { error: what }).max(max, { error: what }).readonly();
}

function isSeed(value: unknown): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0;
  return typeof value === "bigint" && value >= 0n && value < 2n ** 64n;
}
