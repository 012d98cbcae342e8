import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shapeOf } from "../../../sdk/src/endpoint/shape/shape.js";
import { testEndpoint } from "./support.js";

const city = {
  type: "object",
  properties: {
    kind: { const: "city" },
    name: { type: "string", "x-tokens": 4 },
    inhabitants: { type: "integer", minimum: 1, "x-tokens": 3 },
  },
  required: ["kind", "name", "inhabitants"],
  additionalProperties: false,
};
const before = '{"kind": "city", "name": "';
const between = '", "inhabitants": ';

/** The answer of a worker that wrote so into the gaps of `city`, by way of the endpoint. */
async function answered(name: string, inhabitants: string) {
  const schema = structuredClone(city);
  schema.properties.name["x-tokens"] = Buffer.byteLength(name);
  schema.properties.inhabitants["x-tokens"] = Buffer.byteLength(inhabitants);
  const text = `${before}${name}${between}${inhabitants}}`;
  const open = [...Array(Buffer.byteLength(name)).keys()].map((p) => p + before.length);
  const second = before.length + Buffer.byteLength(name) + between.length;
  const gaps = [...open, ...[...Array(Buffer.byteLength(inhabitants)).keys()].map((p) => p + second)];
  const pinned = [...Array(Buffer.byteLength(text) + 1).keys()].filter((p) => !gaps.includes(p));
  const endpoint = await testEndpoint([{ text, pinned }]);
  const response = await endpoint.ask("/v1/chat/completions", {
    model: "stub",
    policy: "refine",
    messages: [{ role: "user", content: "Which?" }],
    response_format: { type: "json_schema", json_schema: { name: "city", schema } },
  });
  const { choices } = await response.json();
  return { ...endpoint, ...(choices[0] ?? expect.unreachable()) };
}

describe("the shape of a schema", () => {
  it("is what is the same in every value, and a gap for each value", () => {
    const { pieces, parts } = shapeOf(city, "schema");
    expect(pieces).toEqual([
      before,
      { kind: "gap", lengths: [4] },
      between,
      { kind: "gap", lengths: [3] },
      "}",
    ]);
    expect(parts[1]).toEqual({ path: "$.name", kind: "string", tokens: 4 });
  });

  it("has lists of one length, nested objects, null, and enums", () => {
    const schema = {
      type: "object",
      properties: {
        at: { type: "array", prefixItems: [{ type: "number" }, { enum: ["N"] }], items: false },
        on: { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 2 },
        of: { type: "object", properties: { none: { type: "null" }, size: { enum: ["S", "L"] } } },
      },
    };
    const { parts } = shapeOf(schema, "schema");
    const shown = parts
      .map((part) => (typeof part === "string" ? part : `<${part.path} ${part.kind}>`))
      .join("");
    expect(shown).toBe(
      '{"at": [<$.at[0] literal>, "N"], "on": [<$.on[0] literal>, <$.on[1] literal>], ' +
        '"of": {"none": null, "size": "<$.of.size string>"}}',
    );
  });

  it.each([
    [1, 8],
    [2, 16],
    [3, 8],
    [4, 16],
    [5, 1],
  ])("with %i gaps of unknown lengths asks for %i answers", (count, answers) => {
    const names = Array.from({ length: count }, (_, i) => `v${i}`);
    const properties = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
    const { pieces } = shapeOf({ type: "object", properties }, "schema");
    const combinations = pieces.reduce(
      (all, p) => all * (typeof p === "object" && "lengths" in p ? p.lengths.length : 1),
      1,
    );
    expect(combinations).toBe(answers);
  });

  it.each([
    [{ anyOf: [{ type: "string" }] }, "$ is open: anyOf"],
    [{ type: "object", properties: { a: { $ref: "#/$defs/a" } } }, "$.a is open: $ref"],
    [{ type: "array", items: { type: "string" } }, "how many items"],
    [{ type: "object" }, "no properties"],
    [{ type: ["string", "null"] }, 'its type is ["string","null"]'],
    [{ enum: ["a", 1] }, "several shapes"],
    [{ type: "object", properties: { a: {} } }, "$.a is open: it has no type"],
    [{ type: "object", properties: { a: { const: 1 } }, required: ["b"] }, 'requires "b"'],
    [true, "any value fits"],
    [{ type: "string", "x-tokens": 0 }, "x-tokens is 0"],
    [{ type: "string", pattern: "^(([^a]|a)+)+$" }, "a pattern is a program of its own"],
    [{ const: "a", pattern: "^(a+)+$" }, "a pattern is a program of its own"],
    [nestedLists(5), "more than 2048 values"],
    [{ type: "object", properties: { a: { const: 1 } }, required: "a" }, "what it requires is no list"],
    [JSON.parse(`{"const":${"[".repeat(100_000)}${"]".repeat(100_000)}}`), "nested too deep"],
  ])("number %# has none, and is refused by name: $1", (schema, text) => {
    expect(() => shapeOf(schema, "schema")).toThrow(text);
  });
});

/** Lists of 64 lists of 64 lists. */
function nestedLists(depth: number): object {
  if (depth === 0) return { const: 1 };
  return { type: "array", minItems: 64, maxItems: 64, items: nestedLists(depth - 1) };
}

describe("an answer of a given shape", () => {
  it("is JSON of the schema, pinned where the schema is fixed", async () => {
    const { message, asked } = await answered("Lima", "10");
    expect(message.content).toBe(`${before}Lima${between}10}`);
    const [canvas] = asked().canvases;
    const text = Buffer.from(
      (canvas?.begin?.ids ?? []).filter((_, p) => canvas?.begin?.pinned[p] === 1),
    ).toString();
    expect(text).toContain(before + between);
  });

  it.each([
    ['Li", "kind": "x', 'Li", "kind": "x'],
    ["a\nb", "a\nb"],
    ["C:\\", "C:\\"],
    ['say \\"hi\\"', 'say "hi"'],
    ["tab\\t", "tab\t"],
  ])("holds %j inside its string, whatever it looks like", async (written, name) => {
    const { message } = await answered(written, "7");
    expect(JSON.parse(message.content ?? "")).toEqual({ kind: "city", name, inhabitants: 7 });
  });

  it("is JSON of that shape for any text in a gap", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({
          unit: fc.constantFrom('"', "\\", "{", "}", ",", ":", "\n", "a", "u", "0", " "),
          minLength: 1,
        }),
        async (written) => {
          const { message } = await answered(written, "7");
          const value = JSON.parse(message.content ?? "") as Record<string, unknown>;
          expect(Object.keys(value)).toEqual(["kind", "name", "inhabitants"]);
          expect([value.kind, typeof value.name, value.inhabitants]).toEqual(["city", "string", 7]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    ["ten", 'The model wrote "ten" at $.inhabitants, which is no number'],
    ["1}", "is no number"],
    ["0", "not as the schema says. $.inhabitants"],
    ["1.5", "not as the schema says. $.inhabitants"],
  ])("is a refusal where the model wrote %s for an integer of at least 1", async (written, text) => {
    const { message, finish_reason } = await answered("Lima", written);
    expect(message.content).toBeNull();
    expect(message.refusal).toContain(text);
    expect(finish_reason).toBe("stop");
  });

  it("cannot be asked for with a stop string, with pins, or of a policy that writes from left to right", async () => {
    const { ask } = await testEndpoint([{ text: "" }]);
    const format = { type: "json_schema", json_schema: { name: "c", schema: city } };
    const fields = { model: "stub", messages: [{ role: "user", content: "?" }], response_format: format };
    for (const [more, param] of [
      [{ stop: "x", policy: "refine" }, "stop"],
      [{ pins: ["x", { gap: 1 }], policy: "refine" }, "pins"],
      [{}, "policy"],
    ] as const) {
      const response = await ask("/v1/chat/completions", { ...fields, ...more });
      expect((await response.json()).error).toMatchObject({ param, code: "invalid-option" });
    }
  });
});
