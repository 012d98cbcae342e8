/** Each part of a section as HTML. */
import { certainty, formedFigure, formedValue } from "../parts/figure.js";
import type { FactsPart, Part } from "../parts/section.js";
import { rulingOf, type VerdictPart } from "../parts/verdict.js";
import { chartNode } from "./chart.js";
import type { ChartDrawer } from "./draw.js";
import { type Node, tag } from "./node.js";
import { tableNode } from "./table.js";
import { traceNode } from "./trace.js";

/** @param id - unique in the page */
export function partNode(part: Part, id: string, draw: ChartDrawer): Node[] {
  switch (part.kind) {
    case "text":
      return part.paragraphs.map((paragraph) => tag("p", {}, paragraph));
    case "facts":
      return [factsNode(part)];
    case "fold":
      return [foldNode(part.title, part.text)];
    case "table":
      return [tableNode(part, id)];
    case "lines":
    case "frontier":
      return [chartNode(part, id, draw)];
    case "verdict":
      return [verdictNode(part, id)];
    case "trace":
      return [traceNode(part, id)];
  }
}

/** A long text that is folded until it is asked for. */
export function foldNode(title: string, text: string): Node {
  const region = { class: "scroll", tabindex: 0, role: "region", "aria-label": title };
  return tag("details", {}, tag("summary", {}, title), tag("div", region, tag("pre", {}, text)));
}

function factsNode({ facts }: FactsPart): Node {
  const rows = facts.map(([name, value]) => {
    const known = certainty(value);
    const note = known === "" ? undefined : tag("span", { class: "note" }, ` ${known}`);
    return tag("div", {}, tag("dt", {}, name), tag("dd", {}, formedValue(value), note));
  });
  return tag("dl", { class: "facts" }, rows);
}

function verdictNode(verdict: VerdictPart, id: string): Node {
  const { claim, figure, of, form, because } = verdict;
  const { name, sign, word } = rulingOf(verdict);
  const told =
    figure &&
    tag(
      "p",
      { class: "figure" },
      tag("strong", {}, formedFigure(figure, form)),
      of === undefined ? undefined : ` ${of}`,
      certainty(figure) === "" ? undefined : tag("span", { class: "note" }, ` ${certainty(figure)}`),
    );
  return tag(
    "div",
    { class: `verdict ${name}`, id },
    tag(
      "p",
      { class: "claim" },
      tag("span", { class: `ruling ${name}` }, tag("span", { "aria-hidden": "true" }, sign), ` ${word}`),
      tag("span", {}, claim),
    ),
    told,
    because === undefined ? undefined : tag("p", {}, because),
  );
}
