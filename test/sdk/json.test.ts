import fc from "fast-check";
import { expect, it } from "vitest";
import { canonical, parse, stringify } from "../../sdk/src/json.js";
import { inJson } from "../../sdk/src/wire.js";

it("keeps numbers that JSON has no words for, and bigints", () => {
  const value = {
    a: Number.NaN,
    b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    c: 2n ** 70n,
    d: null,
    e: "NaN",
  };
  expect(parse(stringify(value))).toEqual(value);
});

it("keeps the bigints of a result that has digits for other writers of JSON", () => {
  const result = inJson({ seed: 7n, rank: 4 });
  expect(JSON.stringify(result)).toBe('{"seed":"7","rank":4}');
  expect(parse(stringify([{ result }]))).toEqual([{ result: { seed: 7n, rank: 4 } }]);
});

it("reads back whatever it writes", () => {
  const leaf = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.bigInt());
  const key = fc.string().filter((name) => !name.startsWith("$") && name !== "__proto__");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, leaf, fc.array(tie("value")), fc.dictionary(key, tie("value"))),
  }));
  fc.assert(
    fc.property(value, (given) => {
      expect(canonical(parse(stringify(given)))).toBe(canonical(given));
    }),
  );
});

it("has one text for equal values, whatever the order of their keys", () => {
  expect(canonical({ b: 1, a: { d: Number.NaN, c: [2, { f: 1, e: 2 }] } })).toBe(
    canonical({ a: { c: [2, { e: 2, f: 1 }], d: Number.NaN }, b: 1 }),
  );
  expect(canonical({ a: 1 })).not.toBe(canonical({ a: "1" }));
});
