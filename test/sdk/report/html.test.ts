import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { frontierChart, lineChart, Report } from "../../../sdk/src/report/index.js";
import { SCRIPT } from "../../../sdk/src/report/page/script.js";
import { scratchFolder } from "../support/folders.js";
import { sampleReport, sampleTrace } from "./support/sample.js";

/** What is used of an element of the parsed page. */
interface Parsed {
  readonly id: string;
  readonly textContent: string;
  readonly localName: string;
  readonly children: Iterable<Parsed>;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  getAttribute(name: string): string | null;
  querySelector(selector: string): Parsed | null;
  querySelectorAll(selector: string): Iterable<Parsed>;
}

const scratch = scratchFolder();

async function written(report: Report) {
  const folder = await mkdtemp(join(scratch, "report-"));
  const { html, results, markdown } = await report.write(folder);
  const page = await readFile(html, "utf8");
  const document = parseHTML(page).document as unknown as Parsed;
  const lines = (await readFile(results, "utf8")).split("\n").slice(0, -1);
  return {
    folder,
    page,
    document,
    all: (selector: string) => [...document.querySelectorAll(selector)],
    texts: (selector: string) => [...document.querySelectorAll(selector)].map((node) => node.textContent),
    results: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    markdown: await readFile(markdown, "utf8"),
  };
}

const about = { title: "A report" };

let sample: ReturnType<typeof written> | undefined;

/** The sample report, written once. */
function writtenSample(): ReturnType<typeof written> {
  sample ??= written(sampleReport());
  return sample;
}

describe("a report's page", () => {
  it("has its parts in order, each heading one level below the last", async () => {
    const { texts, all } = await writtenSample();
    expect(texts("h1")).toEqual(["The paper's claims in miniature"]);
    expect(texts("h2")).toEqual([
      "Verdicts",
      "Rank and size",
      "More iterations",
      "Which policy",
      "Samples",
      "How to make it again",
    ]);
    expect(texts("h3").slice(0, 3)).toEqual(["Loss over training", "Validation CE against rank", "Adapters"]);
    const ids = all("[id]").map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const attribute of ["aria-labelledby", "aria-describedby"]) {
      const referred = all(`[${attribute}]`).map((node) => node.getAttribute(attribute));
      expect(referred.length).toBeGreaterThan(0);
      expect(referred.filter((id) => !ids.includes(id ?? ""))).toEqual([]);
    }
  });

  it("begins with all verdicts, told by a word and a sign and not by colour alone", async () => {
    const { texts, all } = await writtenSample();
    expect(texts(".overview .ruling")).toEqual(["✓ Holds", "? Undecided", "✗ Does not hold"]);
    const targets = all(".overview a").map((link) => link.getAttribute("href"));
    expect(targets.map((target) => all(`${target}`).length)).toEqual([1, 1, 1]);
    expect(texts(".verdict .figure")[0]).toBe(
      "−0.212 [−0.251, −0.174] nats, rank 64 less rank 4 n = 256, paired bootstrap",
    );
  });

  it("runs and loads nothing but its own script and styles", async () => {
    const { document, page, all, texts } = await writtenSample();
    const policy = document.querySelector("[http-equiv=Content-Security-Policy]")?.getAttribute("content");
    const digest = (text = "") => createHash("sha256").update(text).digest("base64");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${digest(texts("body > script")[0])}'`);
    expect(policy).toContain(`style-src 'sha256-${digest(texts("style")[0])}'`);
    expect(policy).not.toContain("unsafe");
    expect(all("script:not([type])")).toHaveLength(1);
    expect(all("style")).toHaveLength(1);
    expect(all("[style]")).toEqual([]);
    expect(page).not.toMatch(/\bhttps?:|\bsrc=|@import|url\(/);
  });

  it("has each chart as a drawing for wide pages, one for phones, and a table", async () => {
    const { all } = await writtenSample();
    const figures = all("figure:not(.trace)");
    expect(figures).toHaveLength(6);
    for (const figure of figures) {
      const drawings = [...figure.querySelectorAll("svg[role=img]")];
      expect(drawings.map((drawing) => drawing.getAttribute("class"))).toEqual([
        "chart wide",
        "chart narrow",
      ]);
      expect([...figure.querySelectorAll("details table tbody tr")].length).toBeGreaterThan(5);
    }
  });

  it("draws each point with an interval, those that are no numbers only in the table", async () => {
    const y = { value: 0.5, interval: [0.4, 0.6], n: 9 } as const;
    const report = new Report(about);
    report.section("S").plot(
      lineChart({
        title: "C",
        x: { label: "x" },
        y: { label: "y" },
        series: [
          {
            name: "a",
            points: [
              { x: 1, y },
              { x: 2, y },
              { x: 3, y: Number.NaN },
            ],
          },
        ],
      }),
    );
    const { texts, all } = await written(report);
    expect(texts(".wide [fill='var(--s1)'] title")).toEqual([
      "a: 0.500 [0.400, 0.600] at 1",
      "a: 0.500 [0.400, 0.600] at 2",
    ]);
    expect(all(".wide [fill-opacity='0.16'] path")).toHaveLength(1);
    expect(texts("tbody tr")).toEqual([
      "a10.500 [0.400, 0.600] n = 9",
      "a20.500 [0.400, 0.600] n = 9",
      "a3–",
    ]);
  });

  it("joins along a frontier what nothing cheaper reaches", async () => {
    const report = new Report(about);
    const point = (label: string, x: number, y: number) => ({ label, x, y });
    report.section("S").plot(
      frontierChart({
        title: "F",
        x: { label: "forwards" },
        y: { label: "exact match" },
        points: [point("a", 1, 0.2), point("b", 2, 0.1), point("c", 3, 0.5), point("d", 4, 0.5)],
      }),
    );
    const { texts, all } = await written(report);
    expect(texts(".wide [stroke='var(--paper)'] text")).toEqual(["a", "b", "c", "d"]);
    const [line = ""] = all(".wide [stroke-dasharray='1 4'] path").map(
      (path) => path.getAttribute("d") ?? "",
    );
    expect(line.match(/[ML]/g)).toEqual(["M", "L", "L"]);
  });

  it("has tables that tell the interval in each cell, and once what all cells of a column share", async () => {
    const figure = (value: number, n = 20) =>
      ({ value, interval: [value - 0.25, value + 0.25], n, by: "wilson" }) as const;
    const report = new Report(about);
    report.section("S").table({
      title: "T",
      columns: [
        { header: "one", value: (row) => row[0] },
        { header: "two", form: "percent", value: (row) => row[1] },
      ],
      rows: [
        [figure(1), figure(0.5)],
        [figure(1.5), figure(0.25, 40)],
      ],
    });
    const { texts, markdown } = await written(report);
    expect(texts("th")).toEqual(["onen = 20, wilson", "two"]);
    expect(texts("td")).toEqual([
      "1.00 [0.75, 1.25]",
      "50.0 % [25.0, 75.0] n = 20, wilson",
      "1.50 [1.25, 1.75]",
      "25.0 % [0.0, 50.0] n = 40, wilson",
    ]);
    expect(markdown).toContain("| one, n = 20, wilson | two |");
    expect(markdown).toContain("| 1.00 \\[0.75, 1.25\\] | 50.0 % \\[25.0, 75.0\\] (n = 20, wilson) |");
  });

  it("has tables as CSV, in which no text is a formula and figures take columns of their own", async () => {
    const report = new Report(about);
    report.section("S").table({
      title: "T",
      columns: [
        { header: 'a "name"', value: ({ name }) => name },
        { header: "CE", unit: "nats", value: ({ ce }) => ce },
      ],
      rows: [
        { name: "=HYPERLINK(1)", ce: { value: -1.5, interval: [-2, -1] as const, n: 3 } },
        { name: "plain, though", ce: -4 },
        { name: "line\nbreak", ce: undefined },
      ],
    });
    const { all } = await written(report);
    expect(all("[data-csv]").map((node) => node.getAttribute("data-csv"))).toEqual([
      '"a ""name""",CE (nats),CE (nats) low,CE (nats) high,CE (nats) n',
      "'=HYPERLINK(1),-1.5,-2,-1,3",
      '"plain, though",-4,,,',
      '"line\nbreak",,,,',
    ]);
  });

  it("has a trace's last iteration to see without a script, and all of them as text", async () => {
    const { texts, document } = await writtenSample();
    expect(texts(".canvas")).toEqual(["The river runs to the sea, and the sea to the sky.··"]);
    expect(texts(".iterations li")[0]).toBe(
      "The░░░░ to░░░░░░░░░░░░░░░░░░░░░░░░".slice(0, 3) + texts(".iterations li")[0]?.slice(3),
    );
    expect(texts(".iterations li")).toHaveLength(8);
    const frames = JSON.parse(document.querySelector("script.frames")?.textContent ?? "") as unknown[];
    expect(frames).toHaveLength(8);
    expect(texts(".trace .legend li")).toEqual(["░░ masked next", "token changed", "token as before"]);
  });

  it("holds a script that is sound JavaScript to TypeScript's strictest", () => {
    const options: ts.CompilerOptions = {
      allowJs: true,
      checkJs: true,
      strict: true,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      types: [],
    };
    const host = ts.createCompilerHost(options);
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (name, language) =>
      name === "script.js" ? ts.createSourceFile(name, SCRIPT, language) : read(name, language);
    const program = ts.createProgram(["script.js"], options, host);
    const script = program.getSourceFile("script.js");
    const mistakes = [...program.getSyntacticDiagnostics(script), ...program.getSemanticDiagnostics(script)];
    const told = mistakes.map(({ messageText }) => messageText);
    expect(told).toEqual([]);
  });
});

describe("hostile texts", () => {
  const HOSTILE = [
    "</script><script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</style><style>*{display:none}</style>",
    "<!--<script>",
    "&lt;b&gt; &amp;quot;",
    "]]>`| [x](javascript:alert(1)) \u0000\u001b[31m\u202egnirts",
    "x".repeat(500),
  ];

  it.each(HOSTILE)("stay text in every place of the page: %j", async (hostile) => {
    const plain = await writtenSample();
    const { all, document, page } = await written(sampleReport(() => hostile));
    const names = (nodes: readonly Parsed[]) => new Set(nodes.map(({ localName }) => localName));
    expect(names(all("*"))).toEqual(names(plain.all("*")));
    for (const name of ["script", "style", "a", "table", "td", "h3", "details"]) {
      expect(all(name).length, name).toBe(plain.all(name).length);
    }
    const attributes = all("*").flatMap((node) => [...node.attributes].map(({ name }) => name));
    expect(attributes.filter((name) => /^(on.*|style|src)$/.test(name))).toEqual([]);
    expect(page).not.toMatch(/(?![\n\t])\p{Cc}|\u202e/u);
    if (!/[\p{Cc}\p{Cf}]/u.test(hostile)) expect(document.querySelector("h1")?.textContent).toBe(hostile);
    expect(() => JSON.parse(document.querySelector("script.frames")?.textContent ?? "")).not.toThrow();
  });

  it("stay text in Markdown", async () => {
    const hostile = "<b>bold</b> | [x](javascript:alert(1)) *y* `z` # q";
    const report = new Report({ title: hostile, command: "```\n# out" });
    report
      .section(hostile)
      .text(hostile)
      .table({ title: "T", columns: [{ header: hostile, value: (text) => text }], rows: [hostile] });
    const { markdown } = await written(report);
    const escaped = "\\<b\\>bold\\</b\\> \\| \\[x\\](javascript:alert(1)) \\*y\\* \\`z\\` \\# q";
    expect(markdown.split("\n").filter((line) => line.includes("bold"))).toEqual([
      `# ${escaped}`,
      `## ${escaped}`,
      escaped,
      `| ${escaped} |`,
      `| ${escaped} |`,
    ]);
    expect(markdown).toContain("````\n```\n# out\n````");
  });
});

describe("a report's other files", () => {
  it("have a line for each result, with n and interval", async () => {
    const { results } = await writtenSample();
    const kinds = (kind: string) => results.filter((line) => line.kind === kind);
    expect(kinds("verdict").map(({ holds }) => holds)).toEqual([true, null, false]);
    expect(kinds("verdict")[0]?.figure).toEqual({
      value: -0.212,
      n: 256,
      interval: [-0.251, -0.174],
      by: "paired bootstrap",
    });
    expect(kinds("row")).toHaveLength(9);
    expect(kinds("row")[0]).toMatchObject({
      section: "Rank and size",
      of: "Adapters",
      values: { base: "tiny", rank: 4, "validation CE (nats)": { n: 256 }, "exact match": null },
    });
    expect(kinds("point").length).toBeGreaterThan(150);
    expect(kinds("facts")[0]?.values).toMatchObject({ bases: 3 });
  });

  it("keep what JSON has no number for", async () => {
    const report = new Report(about);
    report.section("S").facts({ loss: Number.NaN, seed: 2n ** 63n });
    const { results } = await written(report);
    expect(results[0]?.values).toEqual({ loss: { $number: "NaN" }, seed: { $bigint: String(2n ** 63n) } });
  });

  it("say in Markdown what the page says, and of long charts where their points are", async () => {
    const { markdown } = await writtenSample();
    expect(markdown).toContain("- **✓ Holds:** Higher ranks end at a lower validation CE.");
    expect(markdown).toContain("Its 120 points are in `results.jsonl`.");
    expect(markdown).toContain("| remask | 64 | 2.20 \\[1.97, 2.43\\] |");
    expect(markdown).toContain(
      "```\nnpx tsx examples/reproduce-lad.ts --quick --report docs/reproduction\n```",
    );
    expect(markdown).toContain("base: tiny\n");
  });
});

describe("writing a report", () => {
  it("gives the same bytes from the same content, again and again", async () => {
    const [first, second] = [await writtenSample(), await written(sampleReport())];
    expect(second.page).toBe(first.page);
    expect(second.markdown).toBe(first.markdown);
    expect(second.results).toEqual(first.results);
    expect(await readdir(first.folder)).toEqual(["index.html", "report.md", "results.jsonl"]);
  });

  it("makes a report of nothing but a title", async () => {
    const { texts, markdown } = await written(new Report(about));
    expect(texts("body h1")).toEqual(["A report"]);
    expect(markdown).toBe("# A report\n");
  });

  it("into what is no folder is an error that names it", async () => {
    const file = join(await mkdtemp(join(scratch, "report-")), "file");
    await writeFile(file, "");
    await expect(new Report(about).write(file)).rejects.toMatchObject({
      code: "storage",
      option: "report",
      value: file,
    });
  });

  it("refuses what cannot be drawn, by name", () => {
    const axes = { x: { label: "x", scale: "log" }, y: { label: "y" } } as const;
    const series = [{ name: "a", points: [{ x: 0, y: 1 }] }];
    expect(() => lineChart({ title: "C", ...axes, series })).toThrow(
      "x is 0: a logarithmic axis has no place",
    );
    const named = [{ name: "a", points: [{ x: "mask", y: 1 }] }];
    expect(() => lineChart({ title: "C", x: { label: "x" }, y: axes.y, series: named })).toThrow("x is mask");
    const section = new Report(about).section("S");
    expect(() => section.trace({ ...sampleTrace(), frames: [] })).toThrow("there is no frame");
    expect(() => section.table({ title: "T", columns: [], rows: [] })).toThrow("there is no column");
  });
});
