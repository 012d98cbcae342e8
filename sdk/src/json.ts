/**
 * JSON that can represent NaN, ±Infinity and bigints, with a canonical order of keys. Unlike the output of superjson and devalue,
 * it is plain JSON for people and other programs; canonicalize (RFC 8785) has no NaN.
 */

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** A value as JSON text. Non-finite numbers and bigints are written as `{"$number": "NaN"}` and `{"$bigint": "7"}`. */
export function stringify(value: unknown, indent?: number): string {
  function replace(this: unknown, key: string, inner: unknown): unknown {
    const own = (this as Readonly<Record<string, unknown>>)[key];
    return written(isPlain(own) ? own : inner); // a result's own `toJSON` is for those who do not read it back
  }
  return JSON.stringify(value, replace, indent) ?? "null";
}

function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export function parse(text: string): unknown {
  return JSON.parse(text, (_, inner: unknown) => read(inner));
}

/** A value as JSON text with sorted keys, so that equal values give equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(sorted(written(value))) ?? "null";
}

function written(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) };
  return value;
}

function read(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { $number, $bigint } = value as { $number?: unknown; $bigint?: unknown };
  if (typeof $number === "string" && $number in SPECIAL) return SPECIAL[$number];
  return typeof $bigint === "string" ? BigInt($bigint) : value;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sorted(written(item)));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(written(inner))]));
}
