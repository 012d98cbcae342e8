/** A report as one HTML file: its styles, its script and its charts are in it, and it asks the network for nothing. */
import { createHash } from "node:crypto";
import { placedVerdicts, type ReportContent, sectionId } from "../parts/content.js";
import type { ReportSection } from "../parts/section.js";
import { rulingOf } from "../parts/verdict.js";
import { type ChartDrawer, chartDrawer } from "./draw.js";
import { htmlOf, type Node, tag } from "./node.js";
import { originNode } from "./origin.js";
import { partNode } from "./part.js";
import { SCRIPT } from "./script.js";
import { STYLES } from "./styles.js";

export async function pageOf(content: ReportContent): Promise<string> {
  const draw = await chartDrawer();
  return `<!doctype html>\n${htmlOf(
    tag(
      "html",
      { lang: "en" },
      head(content),
      tag("body", {}, body(content, draw), tag("script", {}, SCRIPT)),
    ),
  )}\n`;
}

function head({ options }: ReportContent): Node {
  return tag(
    "head",
    {},
    tag("meta", { charset: "utf-8" }),
    tag("meta", { "http-equiv": "Content-Security-Policy", content: policy() }),
    tag("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    tag("meta", { name: "referrer", content: "no-referrer" }),
    tag("link", { rel: "icon", href: "data:," }),
    tag("title", {}, options.title),
    tag("style", {}, STYLES),
  );
}

/** Nothing runs and nothing is loaded but this very script and these very styles. */
function policy(): string {
  const digest = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${digest(SCRIPT)}`,
    `style-src ${digest(STYLES)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function body(content: ReportContent, draw: ChartDrawer): (Node | undefined)[] {
  const { title, about, date } = content.options;
  return [
    tag("a", { class: "skip", href: "#content" }, "Skip to the results"),
    tag(
      "header",
      { class: "top" },
      tag(
        "div",
        {},
        tag("h1", {}, title),
        about === undefined ? undefined : tag("p", { class: "lead" }, about),
        date === undefined ? undefined : tag("p", { class: "note" }, date),
      ),
      tag("button", { type: "button", class: "button", id: "theme", hidden: true }, "Dark"),
    ),
    contents(content),
    tag(
      "main",
      { id: "content" },
      overview(content),
      content.sections.map((section, index) => sectionNode(section, sectionId(index), draw)),
      originNode(content.options),
    ),
    tag("p", { class: "unseen", role: "status", id: "status" }),
  ];
}

function contents({ sections }: ReportContent): Node | undefined {
  if (sections.length < 2) return undefined;
  const links = sections.map(({ title }, i) => tag("li", {}, tag("a", { href: `#${sectionId(i)}` }, title)));
  return tag("nav", { class: "contents", "aria-label": "Sections" }, tag("ol", {}, links));
}

/** The verdicts before everything else: each leads to its figures. */
function overview(content: ReportContent): Node | undefined {
  const verdicts = placedVerdicts(content);
  if (verdicts.length === 0) return undefined;
  const rows = verdicts.map(({ part, id }) => {
    const { name, sign, word } = rulingOf(part);
    return tag(
      "li",
      {},
      tag("span", { class: `ruling ${name}` }, tag("span", { "aria-hidden": "true" }, sign), ` ${word}`),
      tag("a", { href: `#${id}` }, part.claim),
    );
  });
  return tag(
    "section",
    { class: "overview", "aria-labelledby": "verdicts" },
    tag("h2", { id: "verdicts" }, "Verdicts"),
    tag("ul", {}, rows),
  );
}

function sectionNode({ title, parts }: ReportSection, id: string, draw: ChartDrawer): Node {
  return tag(
    "section",
    { "aria-labelledby": id },
    tag("h2", { id }, title),
    parts.flatMap((part, index) => partNode(part, `${id}-p${index + 1}`, draw)),
  );
}
