/** Files `lad.json` that Python wrote (claims_golden.py): loaded, this side says the same of them in its own names. */
import { describe, expect, it } from "vitest";
import { Adapter } from "../../sdk/src/gen/lad/v1/worker.js";
import { fromAdapter } from "../../sdk/src/wire.js";
import golden from "./claims.json" with { type: "json" };

/** A file's content with the names of this language; what is null there is undefined here. */
function inCamelCase(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(inCamelCase);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [camelCase(key), inCamelCase(item)]));
}

function camelCase(name: string): string {
  return name.replace(/_[a-z]/g, (letters) => letters.slice(1).toUpperCase());
}

describe("an adapter whose lad.json says", () => {
  it.each(golden.map(({ name, ...entry }) => [name, entry] as const))("%s", (_, { file, adapter }) => {
    const { claims } = fromAdapter(Adapter.decode(Buffer.from(adapter, "base64")));
    const { format, ...said } = file;
    expect(format).toBe(2);
    expect(claims).toEqual(inCamelCase(said));
  });
});
