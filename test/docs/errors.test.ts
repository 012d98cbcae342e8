/** docs/errors.md tells of every error code what sdk/src/errors.ts says of it, and what to do. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pageOf, root } from "./support/pages.js";

const source = readFileSync(join(root, "sdk/src/errors.ts"), "utf8");
const union = /type LadErrorCode =([\s\S]*?");/.exec(source)?.[1] ?? "";
/** What the source says of each code. */
const meanings = new Map(
  [...union.matchAll(/\/\*\* (.*?) \*\/\s*\| "([a-z-]+)"/g)].map(([, meaning = "", code = ""]) => [
    code,
    meaning,
  ]),
);

/** The page's sections of codes: their paragraphs. */
const sections = new Map(
  pageOf("docs/errors.md")
    .prose.split(/^### /m)
    .slice(1)
    .map((section) => {
      const [heading = "", ...paragraphs] = section.split(/^## /m)[0]?.trim().split(/\n\n+/) ?? [];
      return [
        heading.replaceAll("`", ""),
        paragraphs.map((text) => text.replace(/\s+/g, " ").trim()),
      ] as const;
    }),
);

describe("the page of errors", () => {
  it("has every code that there is, and no other", () => {
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map(([, code = ""]) => code);
    expect(codes.length).toBeGreaterThan(20);
    expect([...meanings.keys()]).toEqual(codes);
    expect([...sections.keys()].sort()).toEqual([...codes].sort());
  });

  it.each([...meanings])("says of %s what the source says, and a remedy", (code, meaning) => {
    const [said, remedy = ""] = sections.get(code) ?? [];
    expect(said).toBe(meaning);
    expect(remedy).toMatch(/^\*\*Remedy\.\*\* .{20}/);
  });
});
