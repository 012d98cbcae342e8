import { describe, expect, it } from "vitest";
import { type InspectionLike, inspectionText, type SegmentLike } from "../../../sdk/src/report/inspection.js";

const PART = {
  name: "",
  examples: 1,
  kept: 1,
  dropped: 0,
  truncated: 0,
  longerThanWindow: 0,
  promptTooLong: 0,
  promptTokens: 1,
  answerTokens: 1,
  tailTokens: 1,
  specialTokens: 0,
  maskTokens: 0,
};
const LENGTHS = { mean: 1, least: 1, p5: 1, p25: 1, median: 1, p75: 1, p95: 1, p99: 1, most: 1 };
const NOISE = {
  examples: 1,
  openTokens: 1,
  corruptedTokens: 1,
  maskedTokens: 1,
  untouched: 0,
  supervisedPromptTokens: 0,
  supervisedAnswerTokens: 1,
  supervisedTailTokens: 0,
  ends: 1,
  supervisedEnds: 1,
};

/** The line of an example of these pieces. */
function shownAs(...segments: readonly SegmentLike[]): string | undefined {
  const inspection: InspectionLike = {
    whole: PART,
    sources: [],
    windowLengths: LENGTHS,
    promptLengths: LENGTHS,
    answerLengths: LENGTHS,
    noise: NOISE,
    shown: [{ row: 0, source: "", segments }],
    endToken: "[EOS]",
  };
  return inspectionText(inspection).split("row 0\n")[1];
}

describe("a shown example", () => {
  it("has the clean text behind what is hidden or changed, on one line", () => {
    const text = shownAs(
      { part: "prompt", shown: "clean", tokens: 2, text: "2 + 2?", shownText: "2 + 2?" },
      { part: "answer", shown: "masked", tokens: 3, text: " is\nfour", shownText: "" },
      { part: "answer", shown: "changed", tokens: 1, text: " now", shownText: " so" },
      { part: "answer", shown: "clean", tokens: 1, text: ".", shownText: "." },
    );
    expect(text).toBe("2 + 2?│⟦mask ×3 ←  is↵four⟧⟦ so ←  now⟧.");
  });

  it("counts the tokens of a tail, hidden or not", () => {
    const tail = { part: "tail", tokens: 9, text: "[EOS]".repeat(9), shownText: "" } as const;
    expect(shownAs({ ...tail, shown: "clean" })).toBe("│⟨tail ×9⟩");
    expect(shownAs({ ...tail, shown: "masked" })).toBe("│⟦mask ×9 ← ⟨tail ×9⟩⟧");
  });
});
