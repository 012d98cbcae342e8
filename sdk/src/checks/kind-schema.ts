/** Options that take one of several kinds of value: by name, or as an object with options of its own. */
import { z } from "zod";
import { fields, type Misplaced } from "./fields.js";

/**
 * The schema of a value with a kind.
 *
 * @param builders - by kind
 * @param optionsOf - the schema of a kind's options
 * @param others - what else the error offers
 */
export function kindSchema<Kind extends string, Value, Options>(
  builders: Readonly<Record<Kind, (options?: never) => Value>>,
  optionsOf: (kind: Kind) => z.ZodObject<z.ZodRawShape>,
  { misplaced, others = [] }: { misplaced?: Misplaced; others?: readonly string[] } = {},
) {
  const kinds = Object.keys(builders) as [Kind, ...Kind[]];
  const names = kinds.join(", ");
  const calls = kinds.map((kind) => `${builders[kind].name}()`);
  const objects = kinds.map((kind) => fields({ kind: z.literal(kind), ...optionsOf(kind).shape }, misplaced));
  const object: z.ZodType<Value, Options> = z.discriminatedUnion("kind", objects as never, {
    error: `an object whose kind is one of ${names}`,
  });
  const name = z.enum(kinds, { error: `one of ${names}` }).transform((kind): Value => builders[kind]());
  return z.union([name, object], { error: `one of ${names}, or ${[...calls, ...others].join(", ")}` });
}
