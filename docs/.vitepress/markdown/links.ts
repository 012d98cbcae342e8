/** Links that lead out of docs/: to the pages that the site has of those files. */
import type { MarkdownRenderer } from "vitepress";

/** The site's page of a file of the repository, by its path from the root; undefined where it has none. */
export function pageOf(path: string): string | undefined {
  if (PAGES[path] !== undefined) return PAGES[path];
  const [, example] = /^examples\/([\w.-]+)$/.exec(path) ?? [];
  if (example !== undefined) return `/project/examples#${example.replaceAll(".", "-")}`;
  const [, message] = /^proto\/lad\/v1\/(\w+)\.proto$/.exec(path) ?? [];
  return message === undefined ? undefined : `/protocol/${message}`;
}

const PAGES: Readonly<Record<string, string>> = {
  "README.md": "/",
  "CHANGELOG.md": "/project/changelog",
  "CONTRIBUTING.md": "/project/contributing",
  "bench/RESULTS.md": "/project/results",
};

/**
 * A link as the site has it. Outside of docs/ it must lead to a page; a report, which is a page by itself, opens as it is.
 *
 * @param page - the page that the link stands in, from docs/
 */
export function linkOnSite(page: string, href: string): string {
  if (/^([a-z]+:|#|\/)/.test(href)) return href;
  const [path = "", anchor] = href.split("#");
  const target = new URL(path, `file:///docs/${page}`).pathname.slice(1);
  if (target.startsWith("docs/")) return href;
  const found = pageOf(target);
  if (found === undefined) throw new Error(`docs/${page} links to ${target}, of which the site has no page.`);
  return anchor === undefined ? found : `${found.split("#")[0]}#${anchor}`;
}

/** Has every link to a file outside of docs/ lead to its page. */
export function linksToPages(md: MarkdownRenderer): void {
  md.core.ruler.push("links-to-pages", ({ tokens, env }) => {
    const page = (env as { readonly relativePath?: string }).relativePath ?? "index.md";
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.attrGet("href");
      if (token.type !== "link_open" || href === null) continue;
      token.attrSet("href", linkOnSite(page, href));
      if (href.endsWith(".html")) token.attrSet("target", "_self"); // no page of the site's own router
    }
  });
}
