/** Mermaid's diagrams as pictures, drawn when the site is built: a reader's browser needs no program for them. */
import { renderMermaidSVG } from "beautiful-mermaid";
import type { MarkdownRenderer } from "vitepress";

/** The colours of text, lines and boxes on the page's own, in either scheme. */
const SCHEMES = {
  light: { fg: "#1b1b1f", bg: "#ffffff", muted: "#3c3c43", line: "#55555e", surface: "#f6f6f7" },
  dark: { fg: "#ececf1", bg: "#1b1b1f", muted: "#d0d0d8", line: "#b4b4be", surface: "#2c2c33" },
} as const;

/** Draws fences of the language `mermaid`. */
export function diagrams(md: MarkdownRenderer): void {
  const code = md.renderer.rules.fence;
  if (code === undefined) throw new Error("markdown-it has no rule for fences.");
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info = "", content = "" } = tokens[index] ?? {};
    if (info.trim() !== "mermaid") return code(tokens, index, ...rest);
    const pictures = (["light", "dark"] as const).map((scheme) => {
      const svg = drawn(content, scheme);
      const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
      return `<img class="diagram themed-${scheme}" src="${source}" alt="${md.utils.escapeHtml(described(content))}">`;
    });
    return `<p>${pictures.join("")}</p>\n`;
  };
}

/** A diagram as SVG, in the fonts that the reader has. */
export function drawn(source: string, scheme: keyof typeof SCHEMES): string {
  return renderMermaidSVG(source, { ...SCHEMES[scheme], transparent: true })
    .replace(/@import url\([^)]*\);/g, "") // a font from another machine
    .replaceAll("'Inter', ", "");
}

/** What a diagram tells, for those who do not see it: its words, in their order. */
export function described(source: string): string {
  return `A diagram: ${wordsOf(source).join("; ")}.`;
}

/** The texts of a flowchart or of a sequence of messages. */
export function wordsOf(source: string): string[] {
  const pattern = /"([^"]+)"|\|([^|]+)\||participant \w+ as ([^\n]+)|^\s*loop ([^\n]+)|>>\w+: ([^\n]+)/gm;
  return [...source.matchAll(pattern)].map((found) => {
    const text = found.slice(1).find((each) => each !== undefined) ?? "";
    return text
      .replace(/<br\/?>/g, ": ")
      .replaceAll("::", ":")
      .trim();
  });
}
