/** The formats that OpenAI's clients ask an answer in. */
import { invalidOption } from "../../errors.js";
import { type Shape, shapeOf } from "../shape/shape.js";

/**
 * The shape of a format: none of `text`, and that of the schema of `json_schema`.
 *
 * @param field - what holds the format
 * @throws LadError `invalid-option` for what fixes no shape
 */
export function shapeOfFormat(format: unknown, field: string): Shape | undefined {
  if (format === undefined) return undefined;
  const { type, json_schema, schema } = (format ?? {}) as {
    type?: unknown;
    json_schema?: unknown;
    schema?: unknown;
  };
  if (type === "text") return undefined;
  if (type === "json_schema") {
    const held = (json_schema as { schema?: unknown } | undefined)?.schema ?? schema;
    return shapeOf(held, json_schema === undefined ? `${field}.schema` : `${field}.json_schema.schema`);
  }
  throw invalidOption(
    `${field}.type`,
    type,
    "an answer is held to a fixed shape alone, which it does not give",
    "Give json_schema with a schema, or text.",
  );
}
