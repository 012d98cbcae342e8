import { describe, expect, it } from "vitest";
import {
  drawDenoising,
  drawTraining,
  frameCells,
  LiveBlock,
  type TrainingEventLike,
} from "../../../sdk/src/report/index.js";

async function* of<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

function plainBlock() {
  let text = "";
  const output = { write: (more: string) => (text += more) };
  return { block: new LiveBlock({ output, plainIntervalMs: 0 }), written: () => text };
}

describe("drawTraining", () => {
  it("draws the steps and passes over every other event", async () => {
    const { block, written } = plainBlock();
    const step = (step: number, loss: number) => ({
      type: "step",
      step,
      seconds: 2,
      tokensPerSecond: 1000,
      report: { loss },
    });
    await drawTraining(
      block,
      "rank 4",
      2,
      of<TrainingEventLike>({ type: "started" }, step(1, 4), { type: "validation" }, step(2, 3)),
    );
    const lines = written().trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^rank 4 .* 1\/2 {2}loss 4 {2}1,000 tokens\/s {2}0:02 of 0:04$/);
    expect(lines[1]).toContain("loss 3.90");
  });
});

describe("drawDenoising", () => {
  it("shows a letter that several tokens make up whole, and a family as one sign", async () => {
    const { block, written } = plainBlock();
    const frame = { iteration: 0, iterations: 1, answer: [1, 2, 3, 4, 5, 6], edits: [] };
    const pieces = async () => ["", "", "中", "👩", "\u200d", "👧"];
    await drawDenoising(block, "remask", of(frame), { stopTokenIds: [], pieces });
    expect(written()).toContain("中👩\u200d👧");
  });

  it("continues no letter of an answer with drafted tokens that do not stand", async () => {
    const { block } = plainBlock();
    const asked: number[][] = [];
    const pieces = async (ids: readonly number[]) => {
      asked.push([...ids]);
      return ids.map(String);
    };
    const speculation = { drafted: [1, 8, 9], accepted: 1 };
    const frame = { iteration: 1, iterations: 2, answer: [1, 2], edits: [], speculation };
    await drawDenoising(block, "speculative", of(frame), { stopTokenIds: [], pieces });
    expect(asked).toEqual([
      [1, 2],
      [8, 9],
    ]);
  });

  it("shows what is masked next as blocks, in every iteration", async () => {
    const { block, written } = plainBlock();
    const frames = of(
      { iteration: 0, iterations: 2, answer: [1, 2], edits: [{ position: 1, remasked: true }] },
      { iteration: 1, iterations: 2, answer: [4, 3], edits: [{ position: 1, remasked: false }] },
    );
    const pieces = async (ids: readonly number[]) => ids.map((id) => ` t${id}`);
    await drawDenoising(block, "remask", frames, { stopTokenIds: [4, 3], pieces });
    const lines = written().trimEnd().split("\n");
    expect(lines.map((line) => line.trim())).toEqual([
      expect.stringMatching(/^remask .* 1\/2$/),
      "t1░░",
      expect.stringMatching(/^remask .* 2\/2$/),
      "··",
    ]);
  });

  it("tells what changed from what stayed", () => {
    const frame = {
      iteration: 1,
      iterations: 2,
      answer: [5, 6, 7],
      edits: [{ position: 2, remasked: true }],
    };
    expect(frameCells(frame, ["a", "b", "c"], [5, 9, 7]).map((cell) => cell.state)).toEqual([
      "same",
      "changed",
      "masked",
    ]);
  });

  it("shows what became of a draft: what stands, the base's own token, and what does not stand", async () => {
    const { block, written } = plainBlock();
    const edits = (...positions: number[]) => positions.map((position) => ({ position, remasked: false }));
    const rounds = [
      { answer: [1], edits: edits(0), speculation: { drafted: [], accepted: 0 } },
      { answer: [1, 2, 3], edits: edits(1, 2), speculation: { drafted: [2, 5, 6], accepted: 1 } },
      { answer: [1, 2, 3, 6, 9], edits: edits(3, 4), speculation: { drafted: [6, 9], accepted: 2 } },
    ].map((frame, iteration) => ({ iteration, iterations: 8, ...frame }));
    const pieces = async (ids: readonly number[]) => ids.map((id) => `t${id}`);
    await drawDenoising(block, "speculative", of(...rounds), { stopTokenIds: [9], pieces });
    const lines = written().trimEnd().split("\n");
    expect(lines.filter((_, i) => i % 3 === 1).map((line) => line.trim())).toEqual([
      "[t1]",
      "t1«t2»[t3]~t5~(t6)",
      "t1t2t3«t6·»",
    ]);
    expect(lines[3]).toMatch(/2\/8 {2}1 of 3 drafted accepted$/);
  });
});
