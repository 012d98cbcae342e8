/**
 * The page's styles. Colours are pairs, one for light and one for dark; those of series differ in lightness as well as in hue, and
 * each has a contrast of at least 3:1 with its paper, text of at least 4.5:1.
 */
export const STYLES = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #14161a);
  --raised: light-dark(#f6f7f9, #1c1f25);
  --ink: light-dark(#1a1d21, #e9ebee);
  --soft: light-dark(#565d66, #a6aeb8);
  --line: light-dark(#e3e6ea, #30353d);
  --edge: light-dark(#7a828c, #78818c);
  --link: light-dark(#0a5aa8, #82bbf5);
  --good: light-dark(#13683f, #6fd6a2);
  --bad: light-dark(#a3271b, #ff9d8f);
  --open: light-dark(#6b5300, #e2c568);
  --s1: light-dark(#1c6bb8, #6db3f2);
  --s2: light-dark(#b84a00, #f5985a);
  --s3: light-dark(#00785a, #4cc9a3);
  --s4: light-dark(#9c3d7d, #ea98cc);
  --s5: light-dark(#7d6200, #d9bd45);
  --s6: light-dark(#5546b8, #a99df7);
  --s7: light-dark(#00778f, #5ccbe0);
  --s8: light-dark(#4a5058, #c3c9d1);
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0 auto; max-width: 54rem; padding: clamp(1.25rem, 4vw, 3.5rem) clamp(1rem, 4vw, 2.5rem) 5rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.6 var(--sans); overflow-wrap: anywhere;
}
[hidden] { display: none !important; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
h1 { margin: 0; font-size: clamp(1.6rem, 1.2rem + 2vw, 2.25rem); font-weight: 650; letter-spacing: -0.015em; }
h2 { margin: 3.5rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.375rem; font-weight: 650; letter-spacing: -0.01em; }
h3 { margin: 0; font-size: 1rem; font-weight: 650; }
p { margin: 0 0 1rem; max-width: 42rem; }
a { color: var(--link); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.top { display: flex; gap: 1.5rem; align-items: flex-start; justify-content: space-between; }
.top > div { min-width: 0; }
.lead { margin: 0.75rem 0 0; color: var(--soft); font-size: 1.0625rem; }
.top .note { margin: 0.5rem 0 0; }
.note { color: var(--soft); font-size: 0.8125rem; font-weight: 400; }
th .note { display: block; padding: 0 0.75rem 0.4375rem; white-space: nowrap; }
th.number .note { padding-right: 1.9rem; }
.skip { position: absolute; left: 1rem; top: -10rem; padding: 0.5rem 0.75rem; background: var(--paper); }
.skip:focus { top: 1rem; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.button {
  flex: none; min-height: 2rem; padding: 0.25rem 0.75rem; border: 1px solid var(--edge); border-radius: 0.375rem;
  background: var(--paper); color: var(--ink); font: 500 0.8125rem/1.4 var(--sans); cursor: pointer;
}
.button:hover { background: var(--raised); }
.contents { margin-top: 1.75rem; }
.contents ol { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0; padding: 0; list-style: none; font-size: 0.9375rem; }
.contents a { display: inline-block; padding: 0.25rem 0; }
.overview ul { margin: 0; padding: 0; list-style: none; border-top: 1px solid var(--line); }
.overview h2 { border-top: 0; padding-top: 0; margin-top: 2.5rem; }
.overview li { display: grid; grid-template-columns: 10.5rem minmax(0, 1fr); gap: 0.125rem 1rem; padding: 0.625rem 0; border-bottom: 1px solid var(--line); }
.overview a { color: inherit; text-decoration-color: var(--edge); }
.ruling { font-weight: 650; white-space: nowrap; }
.ruling > span { display: inline-block; width: 1.25em; font-weight: 700; }
.ruling.holds { color: var(--good); }
.ruling.fails { color: var(--bad); }
.ruling.undecided { color: var(--open); }
.verdict { margin: 1.25rem 0; padding: 0.875rem 1.125rem; border-left: 4px solid; border-radius: 0 0.375rem 0.375rem 0; background: var(--raised); }
.verdict.holds { border-color: var(--good); }
.verdict.fails { border-color: var(--bad); border-left-style: double; border-left-width: 6px; }
.verdict.undecided { border-color: var(--open); border-left-style: dashed; }
.verdict p { margin: 0.375rem 0 0; }
.verdict .claim { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.125rem 1rem; margin: 0; font-weight: 550; }
.verdict .figure, .facts dd, td.number { font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 9.5rem), 1fr)); gap: 0.875rem 1.5rem; margin: 0 0 1.5rem; }
h3 + .facts { margin-top: 0.5rem; }
.facts dt { color: var(--soft); font-size: 0.8125rem; }
.facts dd { margin: 0; font-weight: 550; }
.scroll { overflow-x: auto; max-width: 100%; }
.table { margin: 1.5rem 0 2rem; }
.bar { display: flex; gap: 1rem; align-items: center; justify-content: space-between; margin-bottom: 0.5rem; }
table { overflow-wrap: break-word; border-collapse: collapse; min-width: 100%; font-size: 0.875rem; line-height: 1.45; }
th { padding: 0; border-bottom: 1.5px solid var(--edge); text-align: left; vertical-align: bottom; font-weight: 600; }
td { padding: 0.4375rem 0.75rem; border-bottom: 1px solid var(--line); vertical-align: baseline; max-width: 26rem; }
th:first-child .sort, td:first-child { padding-left: 0.25rem; }
td.number { text-align: right; white-space: nowrap; }
.sort { width: 100%; padding: 0.4375rem 0.75rem 0.25rem; border: 0; background: none; color: inherit; font: inherit; text-align: inherit; white-space: nowrap; cursor: pointer; }
th.number .sort { text-align: right; }
.sort::after { content: "↕"; display: inline-block; width: 1.1em; color: var(--soft); text-align: right; font-weight: 400; }
[aria-sort="ascending"] .sort::after { content: "↑"; color: var(--ink); font-weight: 700; }
[aria-sort="descending"] .sort::after { content: "↓"; color: var(--ink); font-weight: 700; }
html:not(.live) .sort { cursor: auto; }
html:not(.live) .sort::after { content: none; }
figure { margin: 1.75rem 0 2.25rem; }
figcaption p { margin: 0.25rem 0 0; color: var(--soft); font-size: 0.9375rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.5rem 0 0; padding: 0; list-style: none; font-size: 0.8125rem; }
.legend li { max-width: 100%; }
.legend svg { vertical-align: -0.125em; }
.chart { display: block; width: 100%; height: auto; margin: 0.5rem 0; font-family: var(--sans); font-variant-numeric: tabular-nums; }
.chart.narrow { display: none; }
@media (max-width: 40rem) {
  .chart.wide { display: none; }
  .chart.narrow { display: block; }
  .overview li, .verdict .claim { grid-template-columns: minmax(0, 1fr); }
}
details { margin: 0.5rem 0 1rem; font-size: 0.9375rem; }
summary { display: list-item; width: fit-content; padding: 0.25rem 0; color: var(--soft); cursor: pointer; }
details[open] > summary { margin-bottom: 0.5rem; }
details .copy { margin-bottom: 0.5rem; }
pre { margin: 0; padding: 0.875rem 1rem; width: max-content; min-width: 100%; background: var(--raised); font: 0.8125rem/1.6 var(--mono); tab-size: 2; }
pre.command { border: 1px solid var(--line); border-radius: 0.375rem; }
.prompt { margin: 0.5rem 0 0; white-space: pre-wrap; }
.player { display: flex; gap: 0.875rem; align-items: center; margin: 0.875rem 0 0; }
.player .play { min-width: 4.25rem; }
.player input { flex: 1; min-width: 0; height: 2rem; accent-color: var(--link); }
.player output { flex: none; min-width: 4.5rem; font-size: 0.875rem; font-variant-numeric: tabular-nums; text-align: right; }
.canvas { max-width: none; min-height: 4.5rem; margin: 0.75rem 0; padding: 0.875rem 1rem; border: 1px solid var(--line); border-radius: 0.375rem; background: var(--raised); }
.canvas, .iterations { font: 0.875rem/1.9 var(--mono); }
.iterations { margin: 0; padding-left: 3rem; }
.iterations li { padding: 0.125rem 0; }
.cell { white-space: pre-wrap; border-radius: 2px; border-bottom: 2px solid transparent; }
.cell.masked { color: var(--edge); }
.cell.changed { color: var(--good); border-bottom-color: currentColor; font-weight: 700; }
.cell.accepted { color: var(--good); border-bottom: 2px dotted currentColor; }
.cell.own { color: var(--link); border-bottom: 4px double currentColor; font-weight: 700; }
.cell.refused { color: var(--bad); text-decoration: line-through; }
.cell.drafted { color: var(--soft); font-style: italic; }
@media (prefers-reduced-motion: no-preference) {
  html { scroll-behavior: smooth; }
  .canvas .cell { transition: color 0.2s, border-color 0.2s; }
}
@media print {
  :root, :root[data-theme] { color-scheme: light; }
  body { max-width: none; padding: 0; }
  .button, .player, .skip, .sort::after { display: none; }
  figure, .verdict, tr { break-inside: avoid; }
}
`;
