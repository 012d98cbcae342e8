/**
 * Draws docs/images/denoising.svg, an answer that forms: `node --import tsx sdk/tools/docs/denoising-picture.ts`.
 *
 * It trains an adapter of `tiny` as the first run does, has it answer a held-out question, and draws what stood there after some of the
 * iterations. The picture is kept, since another processor rounds to another one.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Frame, Runtime, recipes, remask, tinyData } from "../../src/index.js";
import { type Cell, frameCells, frameTexts } from "../../src/report/index.js";
import { root } from "../checkout.js";

const QUESTION = "Name the capitals.\nPortugal Iran";
const ROWS = [1, 2, 3, 4, 6, 8, 12, 16];
const LETTER = 7.3;
const HEIGHT = 30;
const LEFT = 58;
const TOP = 62;
const LEGEND: readonly (readonly [Cell["state"], string])[] = [
  ["masked", "masked again"],
  ["changed", "changed"],
  ["same", "stands"],
];

const STYLE = `
text { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; fill: #1b1b1f; }
.small { font-size: 12px; } .quiet { fill: #55555e; } .page { fill: #ffffff; }
.masked { fill: #c9d4ee; } .changed { fill: #d5f0dc; stroke: #2e7d46; } .same { fill: #f1f1f4; }
@media (prefers-color-scheme: dark) {
text { fill: #ececf1; } .quiet { fill: #b4b4be; } .page { fill: #1b1b1f; }
.masked { fill: #3b4a70; } .changed { fill: #1d4429; stroke: #6cc487; } .same { fill: #2c2c33; }
}`;

const { adapter: settings, training } = recipes.tiny;
await using runtime = await Runtime.start();
const base = await runtime.loadBase("tiny");
const adapter = await base.createAdapter({ ...settings, rank: 64, seed: 1 });
await adapter.train({ ...training, data: tinyData.train(), steps: 1000 }).result();

const policy = remask({ iterations: 16, earlyStop: false });
const rows: { iteration: number; cells: readonly Cell[] }[] = [];
let before: Frame["answer"] | undefined;
for await (const frame of adapter.sample({ messages: QUESTION, policy, seed: 7 })) {
  if (frame.type !== "frame") continue;
  const cells = frameCells(frame, await frameTexts(frame, base), before);
  rows.push({ iteration: frame.iteration + 1, cells });
  before = frame.answer;
}
await writeFile(
  join(root, "docs/images/denoising.svg"),
  picture(rows.filter(({ iteration }) => ROWS.includes(iteration))),
);
console.log(
  rows
    .at(-1)
    ?.cells.map(({ text }) => text)
    .join(""),
);

/** The iterations as rows of tokens, each as wide as the widest text that stands in its column. */
function picture(shown: typeof rows): string {
  const last = shown.at(-1)?.cells ?? [];
  const columns = last.findLastIndex(({ text }) => text !== "·") + 3; // the end, and some of the tail
  const texts = (column: number) => shown.map(({ cells }) => cells[column]?.text.trim() ?? "");
  const widths = Array.from({ length: columns }, (_, c) => {
    return Math.max(...texts(c).map((text) => text.length), 1) * LETTER + 10;
  });
  const places = widths.map((_, c) => LEFT + widths.slice(0, c).reduce((sum, width) => sum + width + 4, 0));
  const width = Math.ceil((places.at(-1) ?? 0) + (widths.at(-1) ?? 0) + 14);
  const height = TOP + shown.length * HEIGHT + 40;
  const cells = shown.flatMap(({ iteration, cells }, row) => {
    const y = TOP + row * HEIGHT;
    const label = `<text class="quiet" x="${LEFT - 10}" y="${y + 16}" text-anchor="end">${iteration}</text>`;
    return [
      label,
      ...cells.slice(0, columns).map(({ text, state }, c) => {
        const [x = 0, wide = 0] = [places[c], widths[c]];
        const shownText = state === "masked" ? "" : escaped(text.trim());
        const box = `<rect class="${state}" x="${x}" y="${y}" width="${wide}" height="22" rx="4"/>`;
        const letters = `<text x="${x + wide / 2}" y="${y + 16}" text-anchor="middle">${shownText}</text>`;
        return box + letters;
      }),
    ];
  });
  const states = new Set(shown.flatMap(({ cells }) => cells.slice(0, columns).map(({ state }) => state)));
  const y = TOP + shown.length * HEIGHT + 18;
  const legend = LEGEND.filter(([state]) => states.has(state)).map(([state, text], i) => {
    const box = `<rect class="${state}" x="${LEFT + i * 140}" y="${y - 12}" width="16" height="14" rx="3"/>`;
    return `${box}<text class="quiet small" x="${LEFT + i * 140 + 22}" y="${y}">${text}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>An answer that forms in sixteen iterations</title>
<style>${STYLE}</style>
<rect class="page" width="${width}" height="${height}" rx="8"/>
<text class="quiet" x="14" y="26">${escaped(QUESTION.replace("\n", " "))}</text>
<text class="quiet small" x="14" y="48">iteration</text>
${cells.join("\n")}
${legend.join("\n")}
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
