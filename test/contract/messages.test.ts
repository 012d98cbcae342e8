/** The golden messages that Python wrote (messages_golden.py): both languages read and write the same bytes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as adapters from "../../sdk/src/gen/lad/v1/adapters.js";
import * as data from "../../sdk/src/gen/lad/v1/data.js";
import * as evaluation from "../../sdk/src/gen/lad/v1/evaluation.js";
import * as runs from "../../sdk/src/gen/lad/v1/runs.js";
import * as sampling from "../../sdk/src/gen/lad/v1/sampling.js";
import * as training from "../../sdk/src/gen/lad/v1/training.js";
import * as worker from "../../sdk/src/gen/lad/v1/worker.js";
import { fromFloat32Bytes, fromErrorDetail, fromEvent, fromPrediction } from "../../sdk/src/wire.js";

interface Golden {
  readonly message: string;
  /** Base64. */
  readonly bytes: string;
  /** By dotted path; 64-bit integers and floats that JSON lacks are strings, bytes are base64. */
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Codec {
  decode(bytes: Uint8Array): unknown;
  encode(message: never): { finish(): Uint8Array };
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, "messages.json"), "utf8")) as Golden[];
const modules: Record<string, unknown>[] = [adapters, data, evaluation, runs, sampling, training, worker];

function codecOf(name: string): Codec {
  const short = name.split(".").at(-1) as string;
  const codec = modules.map((module) => module[short]).find((found) => found !== undefined);
  if (codec === undefined) throw new Error(`no message ${name} in the generated code`);
  return codec as Codec;
}

/** A message's fields by dotted path; defaults of scalars that stand for "not set" are left out, as in the golden file. */
function flattened(value: unknown, path = "", fields: Record<string, unknown> = {}): Record<string, unknown> {
  if (value === undefined) return fields;
  if (value instanceof Uint8Array) fields[path] = Buffer.from(value).toString("base64");
  else if (typeof value === "bigint") fields[path] = String(value);
  else if (typeof value === "number" && !Number.isFinite(value)) fields[path] = String(value);
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) flattened(item, `${path}.${index}`, fields);
  } else if (typeof value === "object" && value !== null) {
    const { $case, value: inner, ...rest } = value as { $case?: string; value?: unknown };
    if ($case !== undefined) flattened(inner, parent(path) === "" ? $case : `${parent(path)}.${$case}`, fields);
    else {
      for (const [key, item] of Object.entries({ ...rest, ...(inner === undefined ? {} : { value: inner }) })) {
        flattened(item, path === "" ? key : `${path}.${key}`, fields);
      }
    }
  } else fields[path] = value;
  return fields;
}

function parent(path: string): string {
  return path.split(".").slice(0, -1).join(".");
}

function isDefault(value: unknown): boolean {
  return value === "" || value === 0 || value === "0" || value === false;
}

/** Without the values that mean "not set". */
function set(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isDefault(value)));
}

describe("a golden message", () => {
  it.each(golden.map((entry, index) => [`${index}: ${entry.message}`, entry] as const))("%s", (_, entry) => {
    const codec = codecOf(entry.message);
    const bytes = Buffer.from(entry.bytes, "base64");
    const message = codec.decode(bytes);
    const fields = flattened(message);
    expect(fields).toMatchObject(entry.fields);
    expect(set(fields)).toEqual(set(entry.fields));
    expect(Buffer.from(codec.encode(message as never).finish()).toString("base64")).toBe(entry.bytes);
  });
});

describe("this side reads", () => {
  const messages = <Message>(name: string) =>
    golden
      .filter(({ message }) => message === `lad.v1.${name}`)
      .map(({ message, bytes }) => codecOf(message).decode(Buffer.from(bytes, "base64")) as Message);

  it("every event of a run", () => {
    const events = messages<runs.StreamEventsResponse>("StreamEventsResponse").map(fromEvent);
    expect(events.length).toBeGreaterThan(0);
    for (const { seq, time, event } of events) {
      expect(seq).toBeTypeOf("number");
      expect(time.getTime()).not.toBeNaN();
      expect(event.type).toBeTypeOf("string");
    }
  });

  it("an error", () => {
    for (const detail of messages<worker.ErrorDetail>("ErrorDetail")) {
      expect(fromErrorDetail(detail)).toMatchObject({ name: "LadError", code: detail.code });
    }
  });

  it("tensors, aligned or not", () => {
    const bytes = Buffer.from([9, 0, 0, 128, 63, 0, 0, 0, 192]);
    expect(fromFloat32Bytes(bytes.subarray(1))).toEqual(Float32Array.of(1, -2));
    for (const prediction of messages<sampling.Prediction>("Prediction")) {
      const { ids, confidences } = fromPrediction(prediction);
      expect(confidences).toHaveLength(ids.length);
    }
  });
});
