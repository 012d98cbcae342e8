/** The diagrams of the documentation are drawn whole, and told in words. */
import { describe, expect, it } from "vitest";
import { described, drawn, wordsOf } from "../../docs/.vitepress/markdown/diagrams.js";
import { pages } from "./support/pages.js";

const diagrams = pages().flatMap(({ path, fences }) =>
  fences
    .filter(({ language }) => language === "mermaid")
    .map(({ code, line }) => ({ where: `${path}:${line}`, code })),
);

/** A text's letters and digits, without what a drawing puts between its lines. */
const letters = (text: string) => text.replace(/&#?\w+;/g, "").replace(/[^\p{L}\p{N}]/gu, "");

describe("the diagrams", () => {
  it("are some", () => {
    expect(diagrams.length).toBeGreaterThan(2);
  });

  it.each(diagrams)("of $where have every word of their source, in both schemes", ({ code }) => {
    expect(wordsOf(code).length).toBeGreaterThan(4);
    for (const scheme of ["light", "dark"] as const) {
      const shown = letters(
        drawn(code, scheme)
          .replace(/<style>[\s\S]*?<\/style>/g, "")
          .replace(/<[^>]*>/g, " "),
      );
      for (const words of wordsOf(code)) expect(shown).toContain(letters(words));
    }
  });

  it.each(diagrams)("of $where ask no other machine for a font", ({ code }) => {
    expect(drawn(code, "light").replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toContain("http");
  });

  it("are told in the order of their source", () => {
    const source = 'flowchart LR\n  a["one<br/>two"] -- "three" --> b["four"]\n  b -.->|five| a\n';
    expect(described(source)).toBe("A diagram: one: two; three; four; five.");
    expect(described("sequenceDiagram\n  participant C as client\n  C->>S: Score(items)\n")).toBe(
      "A diagram: client; Score(items).",
    );
  });
});
