/**
 * Values that a file of JSON can keep: strings, numbers, booleans, null, lists and objects of them. structuredClone would copy what no
 * JSON holds, and not say where it stood.
 */

import { optionName } from "../checks/check.js";
import { invalidOption, type LadError, shown } from "../errors.js";

/** A value of which nothing can be changed. */
export type Frozen<Value> = unknown extends Value
  ? Value
  : { readonly [Key in keyof Value]: Frozen<Value[Key]> };

/**
 * A deep-frozen copy of a value that this package writes as JSON and reads back as the same: NaN, ±Infinity and bigints may be in
 * it. A property that is undefined is left out.
 *
 * @param name - what the value is called in errors
 * @throws LadError `invalid-option` that names the part which cannot be kept
 */
export function frozenCopy<Value>(value: Value, name: string): Frozen<Value> {
  return copyOf(value, [name], new Set()) as Frozen<Value>;
}

/** One part in which two values differ. */
export interface Difference {
  /** Such as `training.noise.kind` or `axes[2]`; empty for the whole. */
  readonly path: string;
  /** Undefined: it is not there. */
  readonly left: unknown;
  readonly right: unknown;
}

/** The parts in which two values of plain data differ, the deepest that tell it, in order. */
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

/** Keys by which `json.ts` tells the numbers that JSON has no words for. */
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
