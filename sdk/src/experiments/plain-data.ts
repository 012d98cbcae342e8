/**
 * Values that JSON can represent: strings, numbers, booleans, null, and lists and objects of them. structuredClone would also copy
 * values that JSON cannot represent, and could not name their paths.
 */

import { optionName } from "../checks/check.js";
import { invalidOption, type LadError, shown } from "../errors.js";

/** A deeply read-only value. */
export type Frozen<Value> = unknown extends Value
  ? Value
  : { readonly [Key in keyof Value]: Frozen<Value[Key]> };

/**
 * A deep-frozen copy of a value that this package can write as JSON and read back as an equal one; NaN, ±Infinity and bigints are
 * allowed. Undefined properties are left out.
 *
 * @param name - the name of the value in errors
 * @throws LadError `invalid-option` that names the part that JSON cannot represent
 */
export function frozenCopy<Value>(value: Value, name: string): Frozen<Value> {
  return copyOf(value, [name], new Set()) as Frozen<Value>;
}

/** One part in which two values differ. */
export interface Difference {
  /** The path of the part, such as `training.noise.kind` or `axes[2]`; empty for the whole value. */
  readonly path: string;
  /** The left value's part; undefined if it has none. */
  readonly left: unknown;
  readonly right: unknown;
}

/** The deepest parts in which two values of plain data differ, in order. */
export function differences(left: unknown, right: unknown, path: readonly PropertyKey[] = []): Difference[] {
  if (isComposite(left) && isComposite(right) && Array.isArray(left) === Array.isArray(right)) {
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...keys].flatMap((key) =>
      differences(left[key], right[key], [...path, Array.isArray(left) ? Number(key) : key]),
    );
  }
  return Object.is(left, right) ? [] : [{ path: optionName(path), left, right }];
}

type Composite = Readonly<Record<string, unknown>>;

function isComposite(value: unknown): value is Composite {
  return typeof value === "object" && value !== null;
}

/** The keys with which `json.ts` marks numbers that JSON cannot represent. */
const RESERVED: ReadonlySet<string> = new Set(["$number", "$bigint"]);

function copyOf(value: unknown, path: readonly PropertyKey[], within: Set<object>): unknown {
  if (!isComposite(value)) {
    if (value === undefined || typeof value === "function" || typeof value === "symbol") {
      throw unkept(value, path, "no JSON can hold it");
    }
    return value === 0 ? 0 : value; // −0 reads back as 0
  }
  if (within.has(value)) throw unkept("an object", path, "it holds itself");
  const inside = new Set([...within, value]);
  if (Array.isArray(value)) {
    return Object.freeze(Array.from(value, (item, index) => copyOf(item, [...path, index], inside)));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw unkept(`a ${value.constructor?.name ?? "class instance"}`, path, "no JSON can hold it");
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const copy = entries.map(([key, inner]) => {
    if (RESERVED.has(key)) throw unkept(inner, [...path, key], "the key is reserved");
    return [key, copyOf(inner, [...path, key], inside)];
  });
  return Object.freeze(Object.fromEntries(copy));
}

function unkept(value: unknown, path: readonly PropertyKey[], problem: string): LadError {
  const remedy = "Give strings, numbers, booleans, null, lists and plain objects of them.";
  return invalidOption(optionName(path), typeof value === "symbol" ? shown(value) : value, problem, remedy);
}
