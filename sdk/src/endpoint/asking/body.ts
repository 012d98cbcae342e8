/** The body of a request: fields that are read, fields without effect here, and fields that are refused because they would have one. */
import type { Context } from "hono";
import type { z } from "zod";
import { check } from "../../checks/check.js";
import { invalidOption } from "../../errors.js";
import { textOf } from "../../http/body.js";
import { Refusal } from "../../http/refusal.js";

/** What an API's bodies may hold. */
export interface BodyRules<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** Fields that change nothing about an answer, whatever their value. */
  readonly ignored: readonly string[];
  /** Fields that this endpoint does not have, with what to do instead. */
  readonly refused: Readonly<Record<string, string>>;
}

/**
 * A request's body, checked. A field that is null is one that is not there, as clients mean it.
 *
 * @throws Refusal for what is no JSON object; LadError `invalid-option` for the first field that is wrong, unknown or refused
 */
export async function readBody<Schema extends z.ZodType>(
  context: Context,
  { schema, ignored, refused }: BodyRules<Schema>,
): Promise<z.output<Schema>> {
  const given = Object.entries(await objectOf(context)).filter(
    ([name, value]) => value !== null && !ignored.includes(name),
  );
  const taken = given.filter(([name, value]) => {
    const remedy = Object.hasOwn(refused, name) ? refused[name] : undefined;
    if (remedy === undefined) return true;
    if (isNeutral(value)) return false;
    throw invalidOption(name, value, "this endpoint does not have it", remedy);
  });
  return check(schema, Object.fromEntries(taken));
}

async function objectOf(context: Context): Promise<object> {
  const text = await textOf(context.req);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body;
  } catch {
    // told below, as what is JSON but no object
  }
  throw new Refusal(400, "invalid-data", "The body of this request is no JSON object.");
}

/** What clients send of features that they do not use. */
function isNeutral(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === 0 || value === false || value === "" || value === "none" || value === "auto";
}
