/** Templates that put a row's columns into a text. */
import { LadError } from "../../errors.js";
import type { Row } from "../../options/data/rows.js";

/**
 * The template with each `{column}` replaced by the row's value of it.
 *
 * @throws LadError `invalid-data` for a column that the row does not have
 */
export function filled(template: string, row: Row, path: string): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, column: string) => textIn(row, column, path));
}

/** @throws LadError `invalid-data` for a column that the row does not have, or that is no text */
export function textIn(row: Row, column: string, path: string): string {
  const value = row[column];
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw lacking(row, column, path, "a text");
}

/** @throws LadError `invalid-data` for a column that is no list of texts */
export function textsIn(row: Row, column: string, path: string): readonly string[] {
  const value = row[column];
  if (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string"))
    return value;
  throw lacking(row, column, path, "a list of texts");
}

function lacking(row: Row, column: string, path: string, what: string): LadError {
  return new LadError("invalid-data", `${path}.${column} is not ${what}.`, {
    option: `${path}.${column}`,
    value: row[column],
    remedy: `Name another column; this row has ${Object.keys(row).join(", ")}.`,
  });
}
