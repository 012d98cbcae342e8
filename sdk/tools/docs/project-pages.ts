/** The site's pages of files that lie outside of docs/: what changed, how to contribute, the benchmarks' results, the examples. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pageOf } from "../../../docs/.vitepress/markdown/links.js";
import { root } from "../checkout.js";

const COPIED = { changelog: "CHANGELOG.md", contributing: "CONTRIBUTING.md", results: "bench/RESULTS.md" };
const LANGUAGES: Readonly<Record<string, string>> = { ts: "ts", yaml: "yaml" };

/** Writes the pages into `folder`, which is made anew. */
export async function writeProjectPages(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, path] of Object.entries(COPIED)) {
    await writeFile(join(folder, `${name}.md`), moved(await readFile(join(root, path), "utf8"), path));
  }
  await writeFile(join(folder, "examples.md"), await examples());
}

/** A Markdown file's text with its links as a page of the site has them. */
export function moved(text: string, path: string): string {
  return text.replace(/\]\((?![a-z]+:|#|\/)([^)#\s]+)(#[^)\s]*)?\)/g, (_, href: string, anchor = "") => {
    const target = new URL(href, `file:///${path}`).pathname.slice(1);
    const page = target.startsWith("docs/") ? `/${target.slice("docs/".length)}` : pageOf(target);
    if (page === undefined) throw new Error(`${path} links to ${target}, of which the site has no page.`);
    return `](${page}${anchor})`;
  });
}

async function examples(): Promise<string> {
  const names = (await readdir(join(root, "examples"))).sort();
  const parts = await Promise.all(
    names.flatMap((name) => {
      const language = LANGUAGES[name.split(".").at(-1) ?? ""];
      return language === undefined ? [] : [example(name, language)];
    }),
  );
  const head =
    "# Examples\n\nPrograms to read, each of which runs: `npx tsx examples/train-and-sample.ts`, in a checkout.";
  return `${[head, ...parts].join("\n\n")}\n`;
}

async function example(name: string, language: string): Promise<string> {
  const source = await readFile(join(root, "examples", name), "utf8");
  return `## ${name} {#${name.replaceAll(".", "-")}}\n\n\`\`\`\`${language}\n${source.trimEnd()}\n\`\`\`\``;
}
