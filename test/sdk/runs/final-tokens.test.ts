import { describe, expect, it } from "vitest";
import {
  type Frame,
  finalityOf,
  finalTokens,
  type PolicyKind,
  policies,
  remask,
  type SamplingState,
} from "../../../sdk/src/index.js";

/** A frame of four positions; without a state, of a policy that writes from left to right. */
function frame(state?: Partial<SamplingState>): Frame {
  const none = [false, false, false, false];
  const whole = {
    ids: [5, 6, 7, 8],
    masked: none,
    kept: none,
    pinned: none,
    confidences: [1, 1, 1, 1],
    memory: [],
    sampled: [5, 6, 7, 8],
    same: 1,
    iteration: 1,
    finished: 0,
    finishedIterations: 0,
    forwards: 1,
  };
  return {
    type: "frame",
    canvas: 0,
    iteration: 0,
    iterations: 8,
    edits: [],
    answer: [5, 6, 7, 8],
    masked: 0,
    ...(state && { state: { ...whole, ...state } }),
  };
}

describe("the tokens that no later iteration changes", () => {
  it("are all of what is written from left to right", () => {
    expect(finalTokens(frame(), "ar")).toBe(4);
    expect(finalTokens(frame(), "speculative")).toBe(4);
  });

  it.each<PolicyKind>(["threshold", "llada"])(
    "are those that %s has committed, up to the first MASK",
    (kind) => {
      expect(finalTokens(frame({ masked: [false, false, true, false] }), kind)).toBe(2);
    },
  );

  it.each<PolicyKind>(["remask", "refine", "editing", "revoking", "entropy-bound"])(
    "are none of %s, whatever is masked or kept",
    (kind) => {
      expect(finalTokens(frame({ kept: [true, true, true, true] }), kind)).toBe(0);
    },
  );

  it("are those that remask has locked, but not those that it only kept", () => {
    const kept = [true, true, true, false];
    expect(finalTokens(frame({ kept }), remask({ retention: "locked" }))).toBe(3);
    expect(finalTokens(frame({ kept }), remask({ retention: "editable" }))).toBe(0);
  });

  it("are those that are pinned, of a finished canvas, or of an answer that is done, under every policy", () => {
    for (const kind of Object.keys(policies) as PolicyKind[]) {
      if (finalityOf(kind) === "written") continue;
      const masked = [true, true, true, true];
      expect(finalTokens(frame({ masked, pinned: [true, false, true, true] }), kind)).toBe(1);
      expect(finalTokens(frame({ masked, finished: 2 }), kind)).toBe(2);
      expect(finalTokens(frame({ masked, stopped: "settled" }), kind)).toBe(4);
    }
  });
});

describe("when a policy's tokens are final", () => {
  it("is a word for each", () => {
    const words = Object.keys(policies).map((kind) => [kind, finalityOf(kind as PolicyKind)]);
    expect(Object.fromEntries(words)).toEqual({
      remask: "end",
      refine: "end",
      llada: "committed",
      ar: "written",
      speculative: "written",
      threshold: "committed",
      editing: "end",
      revoking: "end",
      "entropy-bound": "end",
    });
    expect(finalityOf({ kind: "remask", retention: "locked" })).toBe("committed");
  });

  it("is refused of what is no policy", () => {
    expect(() => finalityOf("tresholt" as PolicyKind)).toThrow(/policy is tresholt.*threshold/s);
  });
});
