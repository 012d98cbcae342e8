/** A report as Markdown. Whatever its texts are, they stay text. */
import { stringify as yaml } from "yaml";
import { type Cell, visible } from "./denoising.js";
import { type Chart, chartTable, pointsOf } from "./parts/chart.js";
import { placedVerdicts, type ReportContent } from "./parts/content.js";
import { certainty, formedFigure, formedValue, type ReportValue } from "./parts/figure.js";
import type { Part } from "./parts/section.js";
import { commonCertainty, headingText, type TablePart } from "./parts/table.js";
import type { TracePart } from "./parts/trace.js";
import { rulingOf, type VerdictPart } from "./parts/verdict.js";

/** A chart of more points has them in `results.jsonl`. */
const MOST_POINTS = 64;

export function markdownOf(content: ReportContent): string {
  const { title, about, date } = content.options;
  const verdicts = placedVerdicts(content);
  const blocks = [
    `# ${inline(title)}`,
    ...(about === undefined ? [] : [inline(about)]),
    ...(date === undefined ? [] : [inline(date)]),
    ...(verdicts.length === 0
      ? []
      : ["## Verdicts", verdicts.map(({ part }) => verdictLine(part)).join("\n")]),
    ...content.sections.flatMap((section) => [
      `## ${inline(section.title)}`,
      ...section.parts.flatMap((part) => blocksOf(part)),
    ]),
    ...originBlocks(content),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function blocksOf(part: Part): string[] {
  switch (part.kind) {
    case "text":
      return part.paragraphs.map(inline);
    case "facts":
      return [
        markdownTable(
          ["", ""],
          part.facts.map(([name, value]) => [name, valueText(value)]),
        ),
      ];
    case "fold":
      return [`### ${inline(part.title)}`, fenced(part.text)];
    case "table":
      return tableBlocks(part);
    case "lines":
    case "frontier":
      return chartBlocks(part);
    case "verdict":
      return [verdictLine(part)];
    case "trace":
      return traceBlocks(part);
  }
}

function tableBlocks(table: TablePart): string[] {
  const { title, about, columns, rows } = table;
  const common = columns.map((_, i) => commonCertainty(table, i));
  const headers = columns.map((column, i) => [headingText(column), common[i]].filter(Boolean).join(", "));
  const cells = rows.map((row) =>
    row.map((value, i) =>
      [formedValue(value, columns[i]?.form), common[i] ? "" : certaintyOf(value)].filter(Boolean).join(" "),
    ),
  );
  return [
    `### ${inline(title)}`,
    ...(about === undefined ? [] : [inline(about)]),
    markdownTable(headers, cells),
  ];
}

function chartBlocks(chart: Chart): string[] {
  const { title, about } = chart;
  const table = { ...chartTable(chart), about };
  const points = pointsOf(chart);
  if (points <= MOST_POINTS) return tableBlocks(table);
  const where = `Its ${points} points are in \`results.jsonl\`.`;
  return [`### ${inline(title)}`, ...(about === undefined ? [] : [inline(about)]), where];
}

function verdictLine(verdict: VerdictPart): string {
  const { claim, figure, of, form, because } = verdict;
  const { sign, word } = rulingOf(verdict);
  const told = figure && [formedFigure(figure, form), of, certainty(figure)].filter(Boolean).join(", ");
  const parts = [
    `- **${sign} ${word}:** ${inline(because && told === undefined ? sentence(claim) : claim)}`,
    told && `(${inline(told)})`,
    because && inline(because),
  ];
  return parts.filter(Boolean).join(" ");
}

/** With the full stop that a heading has not. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function traceBlocks({ title, prompt, frames }: TracePart): string[] {
  const last = frames.at(-1)?.iteration ?? 0;
  const lines = frames.map(({ iteration, cells }) => {
    const number = String(iteration).padStart(String(last).length);
    return `${number}  ${cells.map(cellText).join("")}`;
  });
  const asked = prompt === undefined ? [] : [inline(prompt)];
  return [`### ${inline(title)}`, ...asked, fenced(lines.join("\n"))];
}

function cellText({ text, state }: Cell): string {
  return state === "masked" ? "░░" : visible(text);
}

function originBlocks({ options }: ReportContent): string[] {
  const { command, configuration, versions, seeds, data } = options;
  const blocks: string[] = [];
  if (command !== undefined) blocks.push("### Command", fenced(command));
  for (const [name, values] of [
    ["Versions", versions],
    ["Seeds", seeds],
  ] as const) {
    if (values === undefined) continue;
    const rows = Object.entries(values).map(([key, value]) => [key, String(value)]);
    blocks.push(`### ${name}`, markdownTable(["", ""], rows));
  }
  if (data !== undefined) {
    const rows = data.map(({ name, source = "–", examples, sha256 = "–" }) => [
      name,
      source,
      formedValue(examples),
      sha256,
    ]);
    blocks.push("### Data", markdownTable(["data", "source", "examples", "SHA-256"], rows));
  }
  if (configuration !== undefined) blocks.push("### Configuration", fenced(yaml(configuration).trimEnd()));
  return blocks.length === 0 ? [] : ["## How to make it again", ...blocks];
}

function valueText(value: ReportValue): string {
  return [formedValue(value), certaintyOf(value)].filter(Boolean).join(" ");
}

function certaintyOf(value: ReportValue): string {
  const told = certainty(value);
  return told === "" ? "" : `(${told})`;
}

function markdownTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(inline).join(" | ")} |`;
  return [line(headers), `|${" --- |".repeat(headers.length)}`, ...rows.map(line)].join("\n");
}

/** One line in which nothing is Markdown or HTML. */
function inline(text: string): string {
  return visible(text.replace(/\s*\n\s*/g, " ")).replace(/[\\`*_[\]<>|#&~!]/g, (sign) => `\\${sign}`);
}

/** A block as it is, within a fence that is longer than any in it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
