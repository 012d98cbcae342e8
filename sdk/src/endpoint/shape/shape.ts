/**
 * The shape of JSON that a schema fixes: what is the same in every value of it is pinned, and each value that may differ is a gap. Which keys
 * there are, and in which order, must follow from the schema alone.
 */
import { z } from "zod";
import { invalidOption } from "../../errors.js";
import { type AnswerPiece, gap } from "../../index.js";

/** A value that the model writes. */
export interface Slot {
  /** Where, such as `$.city`. */
  readonly path: string;
  /** `string`: between quotes; `literal`: a number, true or false. */
  readonly kind: "string" | "literal";
  /** Of its gap, where the schema says so with `x-tokens`. */
  readonly tokens: number | undefined;
}

/** A shape, as pieces of an answer, and how what fills it is checked. */
export interface Shape {
  /** Text, and slots between. */
  readonly parts: readonly (string | Slot)[];
  readonly pieces: readonly AnswerPiece[];
  /** What is wrong with a value; undefined: it is as the schema says. */
  problem(value: unknown): string | undefined;
}

type Schema = Readonly<Record<string, unknown>>;

/**
 * The shape of a JSON schema.
 *
 * @param field - what holds the schema, for errors
 * @throws LadError `invalid-option`, naming what does not fix the shape
 */
export function shapeOf(schema: unknown, field: string): Shape {
  const parts = joined(partsOf(schema, "$", field, 0, { left: MOST_VALUES }));
  const slots = parts.filter((part): part is Slot => typeof part !== "string");
  const lengths = LENGTHS[slots.filter(({ tokens }) => tokens === undefined).length] ?? [MIDDLE];
  const pieces = parts.map((part): AnswerPiece => {
    if (typeof part === "string") return part;
    return part.tokens === undefined ? { kind: "gap", lengths } : gap(part.tokens);
  });
  return { parts, pieces, problem: problemsBy(schema, field) };
}

const MIDDLE = 4;
/** The lengths in tokens that each gap is tried with, by the number of gaps: up to sixteen combinations, each of which is sampled. */
const LENGTHS: readonly (readonly number[])[] = [[], [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 4, 8], [2, 6], [2, 6]];

/** Keywords that leave open which keys or items there are. */
const OPEN = [
  "anyOf",
  "oneOf",
  "allOf",
  "not",
  "if",
  "$ref",
  "$dynamicRef",
  "patternProperties",
  "propertyNames",
  "contains",
];
/** The most values in one answer, those that are the same in each included. */
const MOST_VALUES = 2048;
/** The most items of a list. */
const MOST_ITEMS = 64;
/** The deepest nesting. */
const MOST_DEPTH = 16;

/** How many values may still come. */
interface Budget {
  left: number;
}

function partsOf(
  schema: unknown,
  path: string,
  field: string,
  depth: number,
  budget: Budget,
): (string | Slot)[] {
  budget.left -= 1;
  if (budget.left < 0) throw unfixed(field, path, `it has more than ${MOST_VALUES} values`);
  if (typeof schema !== "object" || schema === null || Array.isArray(schema) || depth > MOST_DEPTH) {
    throw unfixed(field, path, depth > MOST_DEPTH ? "it is nested too deep" : "any value fits it");
  }
  const given = schema as Schema;
  const open = OPEN.find((keyword) => keyword in given);
  if (open !== undefined) throw unfixed(field, path, `${open} leaves it open`);
  if ("pattern" in given)
    throw unfixed(field, path, "a pattern is a program of its own, which is not run here");
  if ("const" in given) return [constant(given.const, path, field)];
  if (Array.isArray(given.enum)) return enumParts(given, given.enum, path, field);
  switch (given.type) {
    case "object":
      return objectParts(given, path, field, depth, budget);
    case "array":
      return arrayParts(given, path, field, depth, budget);
    case "string":
      return ['"', slot(given, path, "string", field), '"'];
    case "number":
    case "integer":
    case "boolean":
      return [slot(given, path, "literal", field)];
    case "null":
      return ["null"];
    default:
      throw unfixed(
        field,
        path,
        given.type === undefined ? "it has no type" : `its type is ${jsonOf(given.type)}`,
      );
  }
}

function enumParts(
  schema: Schema,
  values: readonly unknown[],
  path: string,
  field: string,
): (string | Slot)[] {
  const [only] = values;
  if (values.length === 1) return [constant(only, path, field)];
  if (values.length > 1 && values.every((value) => typeof value === "string")) {
    return ['"', slot(schema, path, "string", field), '"'];
  }
  if (values.length > 1 && values.every((value) => typeof value === "number" || typeof value === "boolean")) {
    return [slot(schema, path, "literal", field)];
  }
  throw unfixed(field, path, "the values of its enum have several shapes");
}

function objectParts(
  schema: Schema,
  path: string,
  field: string,
  depth: number,
  budget: Budget,
): (string | Slot)[] {
  const properties = Object.entries((schema.properties ?? {}) as Schema);
  if (properties.length === 0) throw unfixed(field, path, "it has no properties, so that its keys are open");
  const required: unknown = schema.required ?? [];
  if (!Array.isArray(required)) throw unfixed(field, path, "what it requires is no list");
  const unknown = required.find((key) => !properties.some(([name]) => name === key));
  if (unknown !== undefined)
    throw unfixed(field, path, `it requires ${jsonOf(unknown)}, which is no property of it`);
  const members = properties.map(([key, value]) => [
    `${jsonOf(key)}: `,
    ...partsOf(value, `${path}.${key}`, field, depth + 1, budget),
  ]);
  return ["{", ...listed(members), "}"];
}

function arrayParts(
  schema: Schema,
  path: string,
  field: string,
  depth: number,
  budget: Budget,
): (string | Slot)[] {
  const first = Array.isArray(schema.prefixItems) ? (schema.prefixItems as readonly unknown[]) : [];
  const count = schema.minItems;
  const isFixed =
    first.length > 0 ? schema.items === false || count === first.length : count === schema.maxItems;
  const size = first.length > 0 ? first.length : count;
  if (!isFixed || typeof size !== "number" || !Number.isInteger(size) || size < 0 || size > MOST_ITEMS) {
    throw unfixed(
      field,
      path,
      `how many items it has is open (minItems and maxItems must be equal, at most ${MOST_ITEMS})`,
    );
  }
  const items = Array.from({ length: size }, (_, i) =>
    partsOf(first.length > 0 ? first[i] : schema.items, `${path}[${i}]`, field, depth + 1, budget),
  );
  return ["[", ...listed(items), "]"];
}

function slot(schema: Schema, path: string, kind: Slot["kind"], field: string): Slot {
  const tokens = schema["x-tokens"];
  const isCount = typeof tokens === "number" && Number.isInteger(tokens) && tokens >= 1 && tokens <= 1024;
  if (tokens === undefined || isCount) return { path, kind, tokens };
  throw invalidOption(
    `${field} ${path}.x-tokens`,
    tokens,
    "it must be an integer from 1 to 1024",
    "Give a number of tokens.",
  );
}

function problemsBy(schema: unknown, field: string): Shape["problem"] {
  try {
    const checked = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    return (value) => {
      const [issue] = checked.safeParse(value).error?.issues ?? [];
      return issue && `${["$", ...issue.path].join(".")}: ${issue.message}`;
    };
  } catch (error) {
    throw unfixed(field, "$", error instanceof Error ? error.message : String(error));
  }
}

function listed(members: readonly (readonly (string | Slot)[])[]): (string | Slot)[] {
  return members.flatMap((member, i) => (i === 0 ? member : [", ", ...member]));
}

/** Neighbouring texts as one. */
function joined(parts: readonly (string | Slot)[]): (string | Slot)[] {
  const all: (string | Slot)[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (typeof part === "string" && typeof last === "string") all[all.length - 1] = last + part;
    else all.push(part);
  }
  return all;
}

/** @throws LadError for what is nested so deep that it cannot be written */
function constant(value: unknown, path: string, field: string): string {
  try {
    return jsonOf(value);
  } catch {
    throw unfixed(field, path, "its constant is nested too deep");
  }
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

function unfixed(field: string, path: string, why: string) {
  return invalidOption(
    field,
    `a schema whose ${path} is open`,
    `${why}, while the shape of an answer has to be fixed`,
    "Give constants, objects with properties, lists of one length, and strings, numbers and booleans as values.",
  );
}
