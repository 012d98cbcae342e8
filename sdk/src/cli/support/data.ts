/** Data as it is named on the command line. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { csv, type DataSource, hub, jsonl, LadError, tinyData } from "../../index.js";
import { isShipped } from "./model.js";

/** What is trained on, and what is held out of it, if anything. */
export interface NamedData {
  readonly train: DataSource;
  readonly heldout: DataSource | undefined;
}

/** What a command's help says of data. */
export const DATA_HELP =
  "file.jsonl, file.csv, hub:<name>, or a folder with train.jsonl and validation.jsonl";

/**
 * The data that `text` names; without one the questions that come with the small bases.
 *
 * @throws LadError `invalid-option` where there is none for the base, `not-found` for a folder without train.jsonl
 */
export function namedData(text: string | undefined, base: string): NamedData {
  if (text === undefined) {
    if (isShipped(base)) return { train: tinyData.train(), heldout: tinyData.heldout() };
    throw new LadError("invalid-option", `There is no data for ${base}.`, {
      option: "data",
      remedy: `Give ${DATA_HELP}.`,
    });
  }
  if (text.startsWith("hub:")) return { train: hub(text.slice("hub:".length)), heldout: undefined };
  if (text.endsWith(".csv")) return { train: csv(text), heldout: undefined };
  if (/\.jsonl?$/.test(text)) return { train: jsonl(text), heldout: undefined };
  const [train, heldout] = [join(text, "train.jsonl"), join(text, "validation.jsonl")];
  if (!existsSync(train)) {
    throw new LadError("not-found", `data is ${text}: there is no ${train}.`, {
      option: "data",
      value: text,
      remedy: `Give ${DATA_HELP}.`,
    });
  }
  return { train: jsonl(train), heldout: existsSync(heldout) ? jsonl(heldout) : undefined };
}
