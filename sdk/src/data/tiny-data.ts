import { join } from "node:path";
import { type JsonlSource, jsonl } from "../options.js";
import { locateRuntime } from "../setup/locate.js";

/**
 * The questions for the shipped base `tiny`, with exact answers, made by this project's generator. No held-out or test question
 * occurs in the training questions in any wording.
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
