/** Data as it is named on the command line. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { nearest } from "../../checks/nearest.js";
import {
  csv,
  type DataSource,
  type ExampleColumns,
  hub,
  jsonl,
  LadError,
  split,
  tinyData,
  type WholeSource,
} from "../../index.js";
import { isShipped } from "./model.js";

/** What is trained on, and what is held out of it, if anything. */
export interface NamedData {
  readonly train: DataSource;
  readonly heldout: DataSource | undefined;
}

interface Named extends NamedData {
  readonly train: WholeSource;
}

/** What a command's help says of data. */
export const DATA_HELP =
  "file.jsonl, file.csv, hub:<name>, or a folder with train.jsonl and validation.jsonl";

/** How files are read. */
export interface ColumnFlags {
  readonly columns?: ExampleColumns;
  readonly heldOut?: number;
}

/** Adds the flag that says which columns are read. */
export function withColumnFlags(command: Command): Command {
  return command.option(
    "--columns <list>",
    "which columns are read, such as instruction=q,output=a",
    columns,
  );
}

/**
 * The data that `text` names; without one the questions that come with the small bases. With `heldOut`, that share of data without
 * validation is held out of it.
 *
 * @throws LadError `invalid-option` where there is none for the base, `not-found` for a folder without train.jsonl
 */
export function namedData(text: string | undefined, base: string, flags: ColumnFlags = {}): NamedData {
  const named = found(text, base, flags.columns === undefined ? {} : { fields: flags.columns });
  if (flags.heldOut === undefined || named.heldout !== undefined) return named;
  const { train, validation } = split(named.train, { validation: flags.heldOut });
  return { train, heldout: validation };
}

function found(text: string | undefined, base: string, reading: { fields?: ExampleColumns }): Named {
  if (text === undefined) {
    if (isShipped(base)) return { train: tinyData.train(), heldout: tinyData.heldout() };
    throw new LadError("invalid-option", `There is no data for ${base}.`, {
      option: "data",
      remedy: `${meantBase(base)}Give ${DATA_HELP}.`,
    });
  }
  if (text.startsWith("hub:")) return { train: hub(text.slice("hub:".length), reading), heldout: undefined };
  if (text.endsWith(".csv")) return { train: csv(text, reading), heldout: undefined };
  if (/\.jsonl?$/.test(text)) return { train: jsonl(text, reading), heldout: undefined };
  const [train, heldout] = [join(text, "train.jsonl"), join(text, "validation.jsonl")];
  if (!existsSync(train)) {
    throw new LadError("not-found", `data is ${text}: there is no ${train}.`, {
      option: "data",
      value: text,
      remedy: `Give ${DATA_HELP}.`,
    });
  }
  return {
    train: jsonl(train, reading),
    heldout: existsSync(heldout) ? jsonl(heldout, reading) : undefined,
  };
}

function meantBase(base: string): string {
  const guess = nearest(base, ["stub", "tiny", "tiny-0.7m", "tiny-5m", "smollm2-135m"]);
  return guess === undefined || guess === base ? "" : `Did you mean --base ${guess}? `;
}

/** `instruction=question,output=answer` */
function columns(text: string): ExampleColumns {
  const pairs = text.split(",").map((pair) => pair.split("="));
  if (pairs.some(([field, column]) => !field || !column)) {
    throw new InvalidArgumentError("It must be field=column,field=column.");
  }
  return Object.fromEntries(pairs) as ExampleColumns;
}
