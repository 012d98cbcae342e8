import { expect, it } from "vitest";
import {
  ar,
  draftOf,
  gap,
  llada,
  type PolicyInput,
  refine,
  remask,
  type SampleOptions,
} from "../../../sdk/src/index.js";
import { checkSample, checkSampleMany } from "../../../sdk/src/options.js";

/** What is said of a call's options, and the error that they raise. */
function asked(options: Partial<SampleOptions>, policy: PolicyInput = refine(), adapted = true) {
  const warnings: string[] = [];
  const given = { messages: "Hi.", policy, ...options };
  const checked = checkSample(given, adapted, (warning) => warnings.push(warning));
  return { begin: checked.canvases[0]?.begin, warnings };
}

it("a draft, pieces and a frame exclude one another", () => {
  expect(() => asked({ draft: "a", answer: ["b", gap(1)] })).toThrow(
    "draft and answer are both given. Give one of draft, answer and from.",
  );
});

it("pins count token ids", () => {
  expect(asked({ draft: [4, 5, 6], pinned: [2, 0] }).begin?.pinned).toEqual([true, false, true]);
  expect(asked({ draft: [4, 5], pinned: [false, true] }).begin?.pinned).toEqual([false, true]);
  expect(() => asked({ draft: "abc", pinned: [0] })).toThrow("it counts the token ids of a draft");
  expect(() => asked({ pinned: [0] })).toThrow("it counts the token ids of a draft");
  expect(() => asked({ draft: [4], pinned: [1] })).toThrow("pinned is 1: the draft has 1 tokens.");
  expect(() => asked({ draft: [4], pinned: [true, false] })).toThrow("it has 2 entries and draft has 1");
});

it("a policy that cannot begin so is refused by its name", () => {
  expect(() => asked({ draft: "a" }, ar(), false)).toThrow(
    "policy is ar: it writes one token after another, and begins from no draft. " +
      "Leave out draft, or denoise: policy: refine().",
  );
  expect(() => asked({ draft: "a" }, llada())).toThrow("policy is llada: it changes no token that is there");
  expect(() => asked({ answer: ["a", draftOf("b")] }, llada())).toThrow('a gap: answer: ["…", gap(6)].');
  expect(asked({ answer: ["a", draftOf("b"), gap(2)] }, llada()).warnings).toEqual([]);
  expect(() => asked({ draft: "a" }, refine({ growTokens: 2 }))).toThrow("policy.growTokens is 2");
});

it("tells of a strength without effect", () => {
  expect(asked({ strength: 0.5 }, remask()).warnings).toEqual(["strength is ignored: nothing is drafted."]);
  expect(asked({ draft: "a", strength: 0.5 }).warnings).toEqual([
    "strength is ignored: policy refine has no schedule.",
  ]);
  expect(asked({ draft: "a", strength: 0.5 }, remask()).warnings).toEqual([]);
});

it("a gap has the lengths that it may have", () => {
  expect(gap(6).lengths).toEqual([6]);
  expect(gap({ upTo: 4 }).lengths).toEqual([1, 2, 3, 4]);
  expect(gap({ upTo: 33 }).lengths).toEqual([3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33]);
  expect(() => gap(0)).toThrow("gap is 0: it must be an integer from 1 to 1048576");
  expect(() => gap({ upTo: 0 })).toThrow("gap.upTo is 0");
  expect(() => draftOf("")).toThrow("draftOf is");
});

it("a frame without a state, and a state of the wrong kind, are refused", () => {
  const frame = { type: "frame", canvas: 0, iteration: 0, iterations: 1, edits: [], answer: [], masked: 0 };
  expect(() => asked({ from: frame as never })).toThrow("its policy does not denoise, and it has no state");
  expect(() => asked({ from: { ids: [1] } as never })).toThrow("from.masked is missing");
});

it("the pieces of one of many prompts are named by its number", () => {
  const canvases = [{ messages: "a" }, { messages: "b", draft: "c", answer: ["d"] }];
  expect(() => checkSampleMany({ canvases }, true, () => {})).toThrow(
    "canvases[1].draft and canvases[1].answer",
  );
});
