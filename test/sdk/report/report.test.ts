import { describe, expect, it } from "vitest";
import { denoisingLines, visible } from "../../../sdk/src/report/denoising.js";
import { bytes, duration, number, percent } from "../../../sdk/src/report/numbers.js";
import { bar, progressLine } from "../../../sdk/src/report/progress.js";
import { rankTable } from "../../../sdk/src/report/rank-table.js";
import { scatter } from "../../../sdk/src/report/scatter.js";
import { renderTable } from "../../../sdk/src/report/table.js";

describe("numbers", () => {
  it("have the digits that are worth reading", () => {
    expect([1_234_567, 98.76, 9.876, 0.1234, 0, 64].map((value) => number(value))).toEqual([
      "1,234,567",
      "98.8",
      "9.88",
      "0.123",
      "0",
      "64",
    ]);
  });

  it("are a dash where there is none", () => {
    expect([number(Number.NaN), number(undefined), percent(Number.NaN)]).toEqual(["–", "–", "–"]);
    expect(number(Number.POSITIVE_INFINITY)).toBe("∞");
  });

  it("carry their units", () => {
    expect([bytes(512), bytes(12_900_000n), bytes(3 * 2 ** 30)]).toEqual(["512 B", "12.3 MiB", "3.0 GiB"]);
    expect([duration(65.4), duration(7207)]).toEqual(["1:05", "2:00:07"]);
    expect(percent(0.4375)).toBe("43.8 %");
  });
});

describe("a table", () => {
  it("lines columns up, numbers from the right", () => {
    const text = renderTable(
      [
        { header: "name", cell: (row: [string, number]) => row[0], align: "left" },
        { header: "loss", cell: (row) => row[1].toFixed(2) },
      ],
      [
        ["a", 1.5],
        ["longer", 12.25],
      ],
    );
    expect(text).toBe("name     loss\n──────  ─────\na        1.50\nlonger  12.25");
  });

  it("counts columns of the terminal, of which some characters take two", () => {
    const text = renderTable(
      [
        { header: "word", cell: (row: string) => row },
        { header: "next", cell: () => "-" },
      ],
      ["犬と猫", "é"],
    );
    expect(text).toBe("  word  next\n──────  ────\n犬と猫     -\n     é     -");
  });

  it("goes on in a further line where it is wider than a line may be", () => {
    const columns = ["name", "base", "steps"].map((header, index) => ({
      header,
      align: index < 2 ? ("left" as const) : ("right" as const),
      cell: (row: readonly string[]) => row[index] ?? "",
    }));
    const rows = [
      ["capitals", "tiny", "400"],
      ["poems", "smollm2-135m", "3"],
    ];
    expect(renderTable(columns, rows, 22).split("\n")).toEqual([
      "name      base",
      "  steps",
      "────────  ────────────",
      "capitals  tiny",
      "    400",
      "poems     smollm2-135m",
      "      3",
    ]);
    expect(renderTable(columns, rows, 29)).toBe(renderTable(columns, rows));
    expect(renderTable(columns, rows, 28)).toBe(renderTable(columns, rows, 22));
  });

  it("is a header and a rule without rows", () => {
    expect(renderTable([{ header: "rank", cell: String }], [])).toBe("rank\n────");
  });
});

describe("a progress line", () => {
  it("has the bar, the step, the loss, the speed and the clock", () => {
    const line = progressLine({
      label: "rank 16",
      step: 50,
      steps: 200,
      loss: 1.234,
      tokensPerSecond: 5309.6,
      seconds: 20,
    });
    expect(line).toBe(`rank 16  ██████${"·".repeat(18)}   50/200  loss 1.23  5,310 tokens/s  0:20 of 1:20`);
  });

  it("counts in other units, and by what was done since the clock began", () => {
    const pulled = { label: "model", step: 3 * 2 ** 20, steps: 4 * 2 ** 20, seconds: 10, form: bytes };
    expect(progressLine({ ...pulled, from: 2 * 2 ** 20 })).toBe(
      `model  ${bar(0.75)}  3.0 MiB of 4.0 MiB  0:10 of 0:20`,
    );
    expect(progressLine({ ...pulled, from: pulled.step })).toBe(`model  ${bar(0.75)}  3.0 MiB of 4.0 MiB`);
  });

  it("keeps its figures in few columns: the bar gives way first, then the label", () => {
    const run = { step: 640, steps: 1000, loss: 0.164, tokensPerSecond: 8925, seconds: 35 };
    const figures = " 640/1000  loss 0.164  8,925 tokens/s  0:35 of 0:55";
    const lines = [90, 70, 60, 20].map((columns) =>
      progressLine({ label: "rank 64, alone", ...run }, columns),
    );
    expect(lines).toEqual([
      `rank 64, alone  ${bar(0.64, 21)}  ${figures}`,
      `rank 64, alone  ${figures}`,
      `rank 6…  ${figures}`,
      `rank …  ${figures}`,
    ]);
    expect(lines.map((line) => line.length)).toEqual([90, 67, 60, 59]);
  });

  it("has a bar of constant width that is empty, full, or in between to an eighth", () => {
    for (const share of [0, 0.01, 0.333, 0.5, 0.999, 1, 7]) expect([...bar(share, 10)]).toHaveLength(10);
    expect([bar(0, 4), bar(1, 4), bar(0.4375, 4)]).toEqual(["····", "████", "█▊··"]);
  });
});

describe("a denoising frame", () => {
  const cells = [
    { text: "The", state: "same" },
    { text: " answer", state: "changed" },
    { text: " is", state: "masked" },
    { text: " 4", state: "masked" },
  ] as const;

  it("shows masked positions as blocks and what share is settled", () => {
    const [header, canvas] = denoisingLines(
      { label: "remask", iteration: 3, iterations: 16, cells },
      80,
      false,
    );
    expect(header).toBe(`remask  ${bar(0.5, 12)}   3/16`);
    expect(canvas).toBe("  The answer░░░░");
  });

  it("marks what changed with colour where colour is wanted, and stays within the width", () => {
    const coloured = denoisingLines({ label: "", iteration: 1, iterations: 1, cells }, 80, true);
    expect(coloured[1]).toContain("\u001b[1;32m answer\u001b[0m");
    const long = Array.from({ length: 40 }, () => ({ text: " word", state: "same" as const }));
    for (const line of denoisingLines(
      { label: "", iteration: 1, iterations: 1, cells: long },
      32,
      false,
    ).slice(1)) {
      expect([...line].length).toBeLessThanOrEqual(32);
    }
  });

  it("takes wide characters for two columns", () => {
    const wide = Array.from({ length: 30 }, () => ({ text: "犬", state: "same" as const }));
    const [, ...canvas] = denoisingLines({ label: "", iteration: 1, iterations: 1, cells: wide }, 32, false);
    expect(canvas).toEqual([`  ${"犬".repeat(15)}`, `  ${"犬".repeat(15)}`]);
  });

  describe("of a round of self-speculation", () => {
    const round = [
      { text: "It", state: "same" },
      { text: " is", state: "accepted" },
      { text: " the", state: "accepted" },
      { text: " capital", state: "own" },
      { text: " city", state: "refused" },
      { text: " of", state: "drafted" },
      { text: " Peru", state: "drafted" },
    ] as const;
    const lines = (columns: number, color: boolean) =>
      denoisingLines({ label: "speculative", iteration: 2, iterations: 24, cells: round }, columns, color);

    it("marks what became of its draft, tells how much of it stands, and says what the marks mean", () => {
      expect(lines(80, false)).toEqual([
        `speculative  ${bar(1, 12)}   2/24  2 of 5 drafted accepted`,
        "  It« is the»[ capital]~ city~( of Peru)",
        "  «accepted» [the base's own] ~refused~ (drafted)",
      ]);
    });

    it("has a style of its own for each kind, in the legend too, where there is colour", () => {
      const [, canvas, legend] = lines(80, true);
      const styles = (line = "") => new Set(line.match(/(?<=\[)\d;\d+(?=m)/g));
      expect(styles(canvas).size).toBe(4);
      expect(styles(legend)).toEqual(styles(canvas));
      expect(canvas).not.toMatch(/[«~(]/);
    });

    it("stays within the width, marks included", () => {
      for (const line of lines(22, false).slice(1)) expect(line.length).toBeLessThanOrEqual(22);
    });
  });

  it("never lets a model's output steer the terminal", () => {
    expect(visible("a\u001b[2Jb\u0007\u202Ec\nd")).toBe("a [2Jb  c⏎d");
  });
});

describe("a plot of points", () => {
  const points = [
    { x: 1, y: 0, mark: "a" },
    { x: 32, y: 1, mark: "b" },
    { x: 6, y: 0.5, mark: "c" },
  ];

  it("has the least at the left below, the most at the right above, and powers of two along it", () => {
    const lines = scatter(points, { width: 40, height: 5 }).split("\n");
    expect(lines[0]).toMatch(/^1\.00 ┤ +b$/);
    expect(lines[2]).toMatch(/^0\.50 ┤ +c$/);
    expect(lines[4]).toMatch(/^0\.00 ┤a$/);
    expect(lines[6]?.trim().split(/ +/)).toEqual(["1", "2", "4", "8", "16", "32"]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40 + 2);
  });

  it("shows the first of the points that lie in one place, also where all do", () => {
    const plot = scatter([
      { x: 4, y: 0.3, mark: "a" },
      { x: 4, y: 0.3, mark: "b" },
    ]);
    expect(plot).toContain("a");
    expect(plot).not.toContain("b");
  });
});

describe("the table of a sweep over ranks", () => {
  const figures = (exactMatch: number) => ({
    perplexity: 1 + 1 / (exactMatch + 0.1),
    distinct2: 0.5,
    exactMatch,
  });
  const row = {
    rank: 64,
    trainableParameters: 196_608,
    tokensPerSecond: 4321.4,
    trainCe: 0.61,
    validationCe: 0.59,
    validationContentCe: 0.71,
    validationTailCe: 0.05,
    baseCe: 7.25,
    accountedBytes: 3 * 2 ** 20,
    refine: { 1: figures(0.2), 4: figures(0.3), 16: figures(0.3) },
    remask: { 1: figures(0.2), 4: figures(0.4), 16: figures(0.5) },
    autoregressive: figures(0.95),
    speculative: { tokensPerForward: 2.25 },
  };

  it("has a line a rank, then a line for each policy, then the base's own answers", () => {
    const [losses = "", answers = ""] = rankTable([row]).split("\n\n");
    expect(
      losses
        .split("\n")[2]
        ?.trim()
        .split(/\s{2,}/),
    ).toEqual(["64", "196,608", "4,321", "0.610", "0.590", "0.710", "0.050", "7.250", "3.0 MiB"]);
    const lines = answers.split("\n").map((line) => line.trim().split(/\s{2,}/));
    expect(lines[2]?.slice(0, 2)).toEqual(["rank 64", "refine"]);
    expect(lines[3]?.slice(-3)).toEqual(["20.0 %", "40.0 %", "50.0 %"]);
    expect(lines[4]).toEqual(["rank 64", "speculative", "2.25"]);
    expect(lines[5]).toEqual(["the base", "autoregressive", "1.95", "0.50", "95.0 %", "1"]);
  });

  it("is two empty tables when every rank failed", () => {
    expect(rankTable([]).split("\n\n")).toHaveLength(2);
  });
});
