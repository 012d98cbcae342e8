/** A claim is decided by the interval of its figure, and by nothing that was not measured. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { gsm8k, reproduceLad, shortAnswer } from "../../../sdk/src/index.js";
import { canonical } from "../../../sdk/src/json.js";
import { ReportSection } from "../../../sdk/src/report/parts/section.js";
import { allHold, type Claim, finding } from "../../../sdk/src/reproduction/claims/claim.js";
import { claims } from "../../../sdk/src/reproduction/claims/claims.js";
import { sameAnswers } from "../../../sdk/src/reproduction/claims/speculation.js";
import { type AnswerItem, type Answers, Measured } from "../../../sdk/src/reproduction/measured.js";
import { checkReproduction } from "../../../sdk/src/reproduction/options.js";
import { nameOf, type Piece, piecesOf } from "../../../sdk/src/reproduction/pieces.js";
import { reproductionReport } from "../../../sdk/src/reproduction/report.js";
import { loadingOf, noiseOf, settingOf } from "../../../sdk/src/reproduction/setting.js";

const scratch = mkdtempSync(join(tmpdir(), "lad-claims-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const EXAMPLE = [{ instruction: "a", output: "b" }];
const DATA = { train: EXAMPLE, validation: EXAMPLE, easy: EXAMPLE, arithmetic: EXAMPLE };
const row = { question: "1 + 1?", answer: "#### 2" };
const benchmarks = {
  easy: [shortAnswer({ data: [row] })],
  arithmetic: [gsm8k({ data: [row] })],
};
const setting = settingOf(checkReproduction({ folder: "unused", questions: 100, benchmarks }));

describe("a finding", () => {
  const figure = (low: number, high: number) =>
    ({ value: (low + high) / 2, n: 9, interval: [low, high], by: "bootstrap" }) as const;

  it("holds where the whole interval lies in the range", () => {
    expect(finding("", figure(0.1, 0.3), "", { above: 0 }).holds).toBe(true);
    expect(finding("", figure(-0.01, 0.02), "", { above: -0.05, below: 0.05 }).holds).toBe(true);
  });

  it("does not hold where all of it lies outside", () => {
    expect(finding("", figure(-0.3, -0.1), "", { above: 0 }).holds).toBe(false);
    expect(finding("", figure(0.06, 0.1), "", { above: -0.05, below: 0.05 }).holds).toBe(false);
  });

  it("stays open where the interval reaches over the edge, or is not known", () => {
    expect(finding("", figure(-0.1, 0.1), "", { above: 0 }).holds).toBeUndefined();
    expect(finding("", figure(Number.NaN, Number.NaN), "", { above: 0 }).holds).toBeUndefined();
  });
});

describe("the options", () => {
  it("refuse the shipped bases' questions for another base, and one kind of benchmark twice", () => {
    const llama = { folder: "unused", bases: ["meta-llama/Llama-3.2-1B-Instruct"] };
    expect(() => reproduceLad(llama)).toThrow(/bases is .*Llama.*default data.* Give data/);
    const twice = { easy: benchmarks.easy, arithmetic: benchmarks.easy };
    expect(() => reproduceLad({ folder: "unused", benchmarks: twice })).toThrow("benchmarks is short-answer");
  });

  it("give a base without a recipe of its own another noise for the better variant", () => {
    const llama = settingOf(checkReproduction({ folder: "unused", bases: ["llama"], data: DATA }));
    expect([llama.watched, llama.better].map((variant) => noiseOf(llama, variant).kind)).toEqual([
      "lad",
      "cover",
    ]);
  });

  it("leave secrets and functions out of what is reported and kept", async () => {
    const load = { hubToken: "hf_secret", onProgress: () => {}, dataType: "float32" } as const;
    const loaded = settingOf(checkReproduction({ folder: "unused", load }));
    expect(canonical(loadingOf(loaded))).not.toContain("secret");
    expect(loadingOf(loaded)).toMatchObject({ dataType: "float32" });
    const report = reproductionReport(new Measured(new Map()), loaded, {
      command: undefined,
      data: {},
      versions: {},
    });
    const { html, markdown } = await report.write(join(scratch, "secret"));
    expect(readFileSync(html, "utf8") + readFileSync(markdown, "utf8")).not.toContain("hf_secret");
  });
});

describe("a claim", () => {
  it.each(claims.map((claim) => [claim.id, claim] as const))(
    "(%s) of nothing measured says nothing",
    (_, claim) => {
      expect(judged(claim, () => undefined)).toEqual([]);
      const section = new ReportSection(claim.title);
      claim.show(section, new Measured(new Map()), setting);
    },
  );

  it.each(claims.map((claim) => [claim.id, claim] as const))(
    "(%s) holds where everything is as it says",
    (_, claim) => {
      const findings = judged(claim, asClaimed);
      expect(findings.filter(({ holds }) => holds !== true)).toEqual([]);
      expect(allHold(findings)).toBe(true);
    },
  );

  it.each(claims.map((claim) => [claim.id, claim] as const))(
    "(%s) does not where everything is the same",
    (_, claim) => {
      expect(allHold(judged(claim, allTheSame))).not.toBe(true);
    },
  );

  it("(f) takes an answer that ends early for another one, and one that its window cut for the same", () => {
    const item = (ids: number[], tokens: number) =>
      ({ ...answers(() => ({})).items[0], ids, tokens }) as AnswerItem;
    const of = (...items: AnswerItem[]) => ({ seconds: 1, items });
    const own = of(item([1, 2, 3], 4), item([1, 2, 3], 4), item([1, 2, 3], 4), item([], 1));
    const drafted = of(item([1, 2], 2), item([1, 2], 3), item([], 1), item([], 1));
    expect(sameAnswers(drafted, own)).toEqual([true, false, false, true]);
  });

  it("draws what it judged", () => {
    const measured = new Measured(
      new Map(piecesOf(setting).map((piece) => [nameOf(piece), asClaimed(piece)])),
    );
    for (const claim of claims) {
      const section = new ReportSection(claim.title);
      claim.show(section, measured, setting);
      expect(section.parts.length, claim.title).toBeGreaterThan(0);
    }
  });
});

function judged(claim: Claim, result: (piece: Piece) => unknown) {
  const measured = piecesOf(setting).map((piece) => [nameOf(piece), result(piece)] as const);
  return claim.judge(new Measured(new Map(measured)), setting);
}

/** A world in which the claims hold: every answer is graded by how good its piece should be. */
function asClaimed(piece: Piece): unknown {
  switch (piece.kind) {
    case "train":
      return {
        trainableParameters: 10,
        steps: 2,
        seconds: 1,
        tokensPerSecond: 9,
        curve: [{ step: 1, ce: 2 }],
      };
    case "losses": {
      const size = setting.bases.indexOf(piece.variant.base) + setting.ranks.indexOf(piece.variant.rank) / 4;
      const level = piece.variant.noise === "better" ? 0.5 : 4 - size;
      const losses = (nats: number) => ({
        nats: items((i) => 10 * nats + (i % 3)),
        tokens: items(() => 10),
      });
      return { lad: losses(level), masked: [0.5, 1].map((share) => ({ share, ...losses(level) })) };
    }
    case "repairs":
      return { repaired: items((i) => piece.variant.noise === "lad" || i < 2) };
    case "benchmark":
      return {
        adapted: items((i) => piece.set === "easy" || i < 5),
        itself: items(() => true),
        by: "number",
      };
    case "base":
      return answers((i) => ({ right: piece.set === "arithmetic" || i < 0.9 * setting.questions }));
    case "trace":
      return undefined;
    case "answers": {
      const { policy, variant, set } = piece;
      if (policy.kind === "speculative") return answers(() => ({ forwards: 2 }));
      const count = "iterations" in policy ? policy.iterations : 1;
      const refines = policy.kind === "refine";
      const share = { lad: set === "easy" && !refines ? 0.9 : 0.5, "mask-only": 0.1, better: 1 }[
        variant.noise
      ];
      return answers((i) => ({
        right: i < share * setting.questions,
        forwards: count === 1 ? 1 : Math.min(count, 3) + (refines ? 0 : 2),
        nats: 20 / count + (refines ? 4 : 0) + (i % 2),
      }));
    }
  }
}

/** A world in which nothing differs from anything else. */
function allTheSame(piece: Piece): unknown {
  if (piece.kind === "benchmark") return { adapted: [true, false], itself: [true, false], by: "number" };
  if (piece.kind === "base" || piece.kind === "answers") return answers(() => ({}));
  return asClaimed({ ...piece, variant: setting.watched });
}

function answers(of: (i: number) => Partial<AnswerItem>): Answers {
  return {
    seconds: 1,
    items: items((i) => ({
      right: true,
      text: "a",
      ids: [i, i + 1, i + 2],
      tokens: 4,
      forwards: 4,
      nats: 4,
      scored: 4,
      ...of(i),
    })),
  };
}

function items<Item>(of: (i: number) => Item): Item[] {
  return Array.from({ length: setting.questions }, (_, i) => of(i));
}
