import { describe, expect, test } from "vitest";
import * as adapters from "../../sdk/src/gen/lad/v1/adapters.js";
import * as data from "../../sdk/src/gen/lad/v1/data.js";
import * as evaluation from "../../sdk/src/gen/lad/v1/evaluation.js";
import * as runs from "../../sdk/src/gen/lad/v1/runs.js";
import * as sampling from "../../sdk/src/gen/lad/v1/sampling.js";
import * as training from "../../sdk/src/gen/lad/v1/training.js";
import * as worker from "../../sdk/src/gen/lad/v1/worker.js";
import golden from "../contract/messages.json" with { type: "json" };

interface Codec {
  decode(bytes: Uint8Array): unknown;
  encode(message: never): { finish(): Uint8Array };
}
const codecs: Record<string, unknown> = {
  ...adapters,
  ...data,
  ...evaluation,
  ...runs,
  ...sampling,
  ...training,
  ...worker,
};

/** The value at a dotted path. A oneof's case is looked for behind the union that holds it. */
function at(message: unknown, path: string): unknown {
  return path.split(".").reduce((value: unknown, name) => {
    const fields = value as Record<string, unknown>;
    if (name in fields) return fields[name];
    const union = Object.values(fields).find(
      (field) => (field as { $case?: string } | undefined)?.$case === name,
    );
    return (union as { value?: unknown } | undefined)?.value;
  }, message);
}

/** As the golden file writes values: 64-bit integers and floats that JSON lacks as strings, bytes as base64. */
function written(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

describe("the golden messages that Python wrote", () => {
  test.each(golden.map((entry, index) => ({ index, ...entry })))(
    "$index: $message has every field, and the same bytes when it is written again",
    ({ message: name, bytes, fields }) => {
      const codec = codecs[name.replace("lad.v1.", "")] as Codec;
      const message = codec.decode(Buffer.from(bytes, "base64"));
      const read = Object.fromEntries(Object.keys(fields).map((path) => [path, written(at(message, path))]));
      expect(read).toEqual(fields);
      expect(Buffer.from(codec.encode(message as never).finish()).toString("base64")).toBe(bytes);
    },
  );
});
