import { expect, it } from "vitest";
import { lossReport } from "../../../sdk/src/method/loss-report.js";

it("counts every kind of token apart, and only what is supervised", () => {
  const example = {
    id: 0n,
    ids: [10, 11, 12, 0],
    answer: Uint8Array.of(0, 1, 1, 1),
    tail: Uint8Array.of(0, 0, 0, 1),
  };
  const sequence = {
    ids: [10, 99, 12, 99],
    targets: Int32Array.of(-1, 11, 12, 0),
    weights: Float32Array.of(0, 1, 1, 1),
    promptTokens: 1,
  };
  const report = lossReport({
    examples: [example],
    sequences: [sequence],
    loss: 7,
    ce: Float32Array.of(0, 4, 2, 1),
  });
  expect(report).toEqual({
    loss: 7,
    ce: 7 / 3,
    contentCe: 3,
    tailCe: 1,
    corruptedCe: 2.5,
    corruptedContentCe: 4,
    tokens: 4,
    supervisedTokens: 3,
    contentTokens: 2,
    tailTokens: 1,
    corruptedTokens: 2,
    corruptedContentTokens: 1,
  });
});

it("has no mean over no tokens", () => {
  const example = { id: 0n, ids: [1], answer: Uint8Array.of(1), tail: Uint8Array.of(0) };
  const sequence = { ids: [1], targets: Int32Array.of(-1), weights: Float32Array.of(0), promptTokens: 0 };
  const report = lossReport({ examples: [example], sequences: [sequence], loss: 0, ce: Float32Array.of(0) });
  expect(report.ce).toBeNaN();
  expect(report.loss).toBeNaN();
  expect(report.supervisedTokens).toBe(0);
});
