/** The Markdown that people write: its code, its links, its headings. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { slug } from "../../../docs/.vitepress/markdown/slug.js";
import { reports } from "../../../docs/.vitepress/reports.js";

/** The repository's root. */
export const root = resolve(import.meta.dirname, "../../..");

/** A block of code between fences. */
export interface Fence {
  /** The word behind the fence; empty where there is none. */
  readonly language: string;
  /** Whether `run` stands behind it: a test runs the block, and not only reads it. */
  readonly runs: boolean;
  readonly code: string;
  /** The number of its first line in the file, from 1. */
  readonly line: number;
}

export interface Page {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly fences: readonly Fence[];
  /** The text without its fences, lines kept. */
  readonly prose: string;
}

/** Folders of docs/ that programs write. */
const WRITTEN = ["api", "protocol", "project", ".site", ".vitepress", ...reports].map(
  (name) => `docs/${name}/`,
);

/** Every page, README and CONTRIBUTING among them. */
export function pages(): Page[] {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .map((path) => `docs/${path}`)
    .filter((path) => path.endsWith(".md") && !WRITTEN.some((folder) => path.startsWith(folder)));
  const others = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md", "bench/RESULTS.md"];
  return [...others, ...docs.sort()].map(pageOf);
}

/** The page of this path. */
export function pageOf(path: string): Page {
  const text = readFileSync(join(root, path), "utf8");
  return {
    path,
    text,
    fences: fencesOf(text),
    prose: text.replace(FENCE, (all) => all.replace(/[^\n]/g, "")),
  };
}

const FENCE = /^( *)(`{3,})([^\n]*)\n([\s\S]*?)^\1\2 *$/gm;

function fencesOf(text: string): Fence[] {
  return [...text.matchAll(FENCE)].map(({ index, 1: indent = "", 3: info = "", 4: code = "" }) => {
    const [language = "", ...words] = info.trim().split(/\s+/);
    return {
      language,
      runs: words.includes("run"),
      code: code.replace(new RegExp(`^${indent}`, "gm"), ""),
      line: text.slice(0, index).split("\n").length + 1,
    };
  });
}

/** The anchors of a page's headings, as the site makes them. */
export function anchorsOf({ prose }: Page): string[] {
  const anchors: string[] = [];
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} +(.*)$/gm)) {
    const own = /\{#([\w-]+)\}\s*$/.exec(heading)?.[1];
    const base = own ?? slug(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
    let anchor = base;
    for (let n = 1; anchors.includes(anchor); n++) anchor = `${base}-${n}`;
    anchors.push(anchor);
  }
  return anchors;
}
