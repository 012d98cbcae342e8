/** Rows of any schema: those of benchmarks, as a file or the hub has them. */
import { z } from "zod";
import { without } from "../../checks/fields.js";
import { type HubSource, hubSource, type JsonlSource, jsonlSource } from "./sources.js";

/** One row of a data set, with the columns that it has. */
export type Row = Readonly<Record<string, unknown>>;

/** Where rows come from: objects, `jsonl(…)` of this machine, or `hub(…)`. */
export type RowSource = readonly Row[] | Omit<JsonlSource, "fields"> | Omit<HubSource, "fields">;

export const rowSourceSchema = z.union(
  [
    z
      .array(z.record(z.string(), z.unknown(), { error: "an object" }), { error: "a list of rows" })
      .min(1, { error: "a list of at least one row" })
      .readonly(),
    without(jsonlSource, "fields"),
    without(hubSource, "fields"),
  ],
  { error: "rows, jsonl(…) or hub(…)" },
);
/** A source of rows with every default filled in. */
export type CheckedRows = z.output<typeof rowSourceSchema>;
