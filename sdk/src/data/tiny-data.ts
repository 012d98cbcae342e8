import { join } from "node:path";
import { type JsonlSource, jsonl } from "../options.js";
import { locateRuntime } from "../setup/locate.js";

/**
 * The questions for the shipped bases, with exact answers, made by this project's generator. No held-out or test question occurs in the
 * training questions in any wording.
 */
export const tinyData = {
  /** 8,000 questions to train adapters on: capitals, opposites, comparing, choosing, retelling. */
  train: () => questions("train"),
  /** 450 questions for validation. */
  heldout: () => questions("heldout"),
  /** 450 questions for a final test. */
  test: () => questions("test"),
  /** Arithmetic word problems: sums of two numbers told as a story, whose answers must be computed. */
  stories: {
    /** 4,000 to train adapters on. */
    train: () => questions("stories/train"),
    /** 200 for validation. */
    heldout: () => questions("stories/heldout"),
    /** 200 for a final test. */
    test: () => questions("stories/test"),
  },
} as const;

function questions(file: string): JsonlSource {
  return jsonl(join(locateRuntime().runtimeFolder, "lad_runtime/tiny/data", `${file}.jsonl`));
}
