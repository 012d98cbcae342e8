/** Mermaid's diagrams as pictures, drawn when the site is built: a reader's browser needs no program for them. */
import { renderMermaidSVG } from "beautiful-mermaid";
import type { MarkdownRenderer } from "vitepress";

/** The colours of text, lines and boxes on the page's own, in either scheme. */
const SCHEMES = {
  "themed-light": { fg: "#1b1b1f", bg: "#ffffff", muted: "#3c3c43", line: "#55555e", surface: "#f6f6f7" },
  "themed-dark": { fg: "#ececf1", bg: "#1b1b1f", muted: "#d0d0d8", line: "#b4b4be", surface: "#2c2c33" },
} as const;

/** Draws fences of the language `mermaid`. */
export function diagrams(md: MarkdownRenderer): void {
  const code = md.renderer.rules.fence;
  if (code === undefined) throw new Error("markdown-it has no rule for fences.");
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info = "", content = "" } = tokens[index] ?? {};
    if (info.trim() !== "mermaid") return code(tokens, index, ...rest);
    const pictures = Object.entries(SCHEMES).map(([name, colours]) => {
      const svg = renderMermaidSVG(content, { ...colours, transparent: true })
        .replace(/@import url\([^)]*\);/g, "") // a font from another machine
        .replaceAll("'Inter', ", "");
      const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
      return `<img class="diagram ${name}" src="${source}" alt="${md.utils.escapeHtml(described(content))}">`;
    });
    return `<p>${pictures.join("")}</p>\n`;
  };
}

/** What a diagram tells, for those who do not see it: its words, in their order. */
export function described(source: string): string {
  const words = [...source.matchAll(/"([^"]+)"|:\s*([^\n]+)$|participant \w+ as ([^\n]+)/gm)]
    .map(([, quoted, message, actor]) => quoted ?? message ?? actor ?? "")
    .map((text) => text.replace(/<br\/?>/g, ": ").trim());
  return `A diagram: ${words.join("; ")}.`;
}
