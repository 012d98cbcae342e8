import { join } from "node:path";
import { type JsonlSource, jsonl } from "../options.js";
import { locateRuntime } from "../setup/locate.js";

/**
 * The questions that belong to the shipped base `tiny`: exact answers, made by the project's own generator. What is asked in
 * the held-out and test questions is asked in no wording in training.
 */
export const tinyData = {
  /** 9,000 questions to train adapters on. */
  train: () => questions("train"),
  /** 450 questions for validation. */
  heldout: () => questions("heldout"),
  /** 450 questions for a final test. */
  test: () => questions("test"),
} as const;

function questions(split: "train" | "heldout" | "test"): JsonlSource {
  return jsonl(join(locateRuntime().runtimeFolder, "lad_runtime/tiny/data", `${split}.jsonl`));
}
