import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { HoveredProperty } from "./hover.js";

const SOURCES = resolve(import.meta.dirname, "../../../sdk/src");

/** The schema of every interface of options, by the interface's name: all that `fieldsOf` has made. */
export async function optionSchemas(): Promise<ReadonlyMap<string, z.ZodObject>> {
  const schemas = new Map<string, z.ZodObject>();
  const paths = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  for (const path of paths.map((name) => join(SOURCES, name))) {
    const made = [...readFileSync(path, "utf8").matchAll(/const (\w+) = fieldsOf<(\w+)>\(\)/g)];
    if (made.length === 0) continue;
    const module = (await import(path)) as Record<string, unknown>;
    for (const [, name = "", options = ""] of made) {
      const schema = module[name];
      if (!(schema instanceof z.ZodObject)) throw new Error(`${path} does not export ${name}.`);
      schemas.set(options, schema);
    }
  }
  return schemas;
}

/** What an option's text lacks of the default and the range that its schema has, a sentence each. */
export function untold(
  { type, path, text, isOptional }: HoveredProperty,
  schemas: ReadonlyMap<string, z.ZodObject>,
): string[] {
  const schema = schemas.get(type)?.shape[path] as z.ZodType | undefined;
  if (schema === undefined) return [];
  const lacks: string[] = [];
  const range = rangeOf(schema);
  if (range !== undefined && !plain(text).includes(range)) lacks.push(`${type}.${path} lacks "${range}".`);
  if (isOptional && !DEFAULT.test(text)) lacks.push(`${type}.${path} has no "Default: ".`);
  const value = schema.safeParse(undefined).data;
  if (isOptional && saysOtherThan(value, text, schema)) {
    lacks.push(
      `${type}.${path} has another default than ${z.json().safeParse(value).data ?? String(value)}.`,
    );
  }
  return lacks;
}

const DEFAULT = /\bDefault: (.+)$/;

/** In the words of the schema's errors, where they have a number in them or speak of one. */
function rangeOf(schema: z.ZodType): string | undefined {
  const said = [1e300, "\u0000"].map(
    (value) => schema.safeParse(value).error?.issues.at(-1)?.message.replace(" that float32 holds", "") ?? "",
  );
  const range = said.find((words) => /\b\d|\binteger\b|\bnumber\b/.test(words));
  return range === undefined ? undefined : plain(range.replace(/^a list of .*, (?=from )/, ""));
}

/** In lower case, without the commas between thousands and the signs of code. */
function plain(text: string): string {
  return text.toLowerCase().replace(/(?<=\d),(?=\d{3})|`/g, "");
}

/** Whether a text names a value that the schema reads as another than its default. */
function saysOtherThan(value: unknown, text: string, schema: z.ZodType): boolean {
  if (value === undefined || value === "") return false;
  return !isDeepStrictEqual(schema.safeParse(saidDefault(text, Array.isArray(value))).data, value);
}

/** `Default: 0, all.` is 0, ``Default: `drop`.`` is a string; several numbers or several strings are a list. */
function saidDefault(text: string, isList: boolean): unknown {
  const [, said = ""] = DEFAULT.exec(text) ?? [];
  const [sentence = ""] = said.split(/\.(?= |$)/);
  const words = [...sentence.matchAll(/`([^`]*)`/g)].map(([, word = ""]) => word.replaceAll("\\n", "\n"));
  if (isList && words.length === 0) return sentence.match(/\d+/g)?.map(Number);
  if (isList) return words;
  if (sentence.startsWith("`")) return words[0];
  const [literal = "null"] = /^(?:-?\d[\d,.]*(?:e-?\d+)?|true|false)/.exec(sentence) ?? [];
  return JSON.parse(literal.replace(/,/g, ""));
}
