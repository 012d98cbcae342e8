/** No link of the documentation leads nowhere: in the repository, in the package, and on the site. */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { linkOnSite, pageOf as pageOnSite } from "../../docs/.vitepress/markdown/links.js";
import { relativeTo } from "../../docs/.vitepress/relative.js";
import { sidebar } from "../../docs/.vitepress/sidebar.js";
import { moved } from "../../sdk/tools/docs/project-pages.js";
import { anchorsOf, type Page, pageOf, pages, root } from "./support/pages.js";

const written = pages();

interface Link {
  readonly page: Page;
  readonly href: string;
  /** The file that it leads to, from the repository's root. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** Every link and picture that stays in the repository. */
const links: Link[] = written.flatMap((page) =>
  linksOf(page.path, page.prose).map((link) => ({ ...link, page })),
);

/** What the side of the site calls each page, by its place there. */
const names = new Map(
  sidebar.flatMap(({ items = [] }) => items).map(({ link = "", text = "" }) => [link, text]),
);

/** The links and pictures of a text in a file of the repository that stay in it. */
function linksOf(path: string, text: string): (Omit<Link, "page"> & { readonly path: string })[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)]
    .map(({ 1: first, 2: second }) => first ?? second ?? "")
    .filter((href) => !/^[a-z]+:/.test(href))
    .map((href) => {
      const [file = "", anchor] = href.split("#");
      const target = file === "" ? path : posix.join(posix.dirname(path), file);
      return { path, href, target, anchor };
    });
}

describe("the links of the documentation", () => {
  it("lead to files that are there", () => {
    expect(links.length).toBeGreaterThan(100);
    const dead = links.filter(({ target }) => !existsSync(join(root, target)));
    expect(dead.map(({ page, href }) => `${page.path}: ${href}`)).toEqual([]);
  });

  it("lead to headings that are there", () => {
    const dead = links.filter(
      ({ target, anchor }) =>
        anchor !== undefined && target.endsWith(".md") && !anchorsOf(pageOf(target)).includes(anchor),
    );
    expect(dead.map(({ page, href }) => `${page.path}: ${href}`)).toEqual([]);
  });

  it("lead to what the package has, from every page that the package has, reports too", async () => {
    const { stdout } = await execa("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
    const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[];
    const published = new Set(packed?.files.map(({ path }) => path));
    expect(published).toContain("docs/images/denoising.svg");
    expect([...published].filter((path) => path.startsWith("docs/api/"))).toEqual([]);
    const read = [...published]
      .filter((path) => /\.(md|html)$/.test(path) && !path.startsWith("sdk/"))
      .flatMap((path) => linksOf(path, readFileSync(join(root, path), "utf8")));
    expect(read.length).toBeGreaterThan(100);
    const dead = read.filter(({ target }) => !published.has(target));
    expect(dead.map(({ path, href }) => `${path}: ${href}`)).toEqual([]);
  });

  it("lead from a page of the site to another one", () => {
    const lost = links
      .filter(({ page, href }) => page.path.startsWith("docs/") && href.endsWith(".md"))
      .filter(({ page, href }) => linkOnSite(page.path.slice("docs/".length), href) === undefined);
    expect(lost).toEqual([]);
  });

  it("lead to every page of docs/, from README or from another page", () => {
    const reached = new Set(
      links.filter(({ page, target }) => page.path !== target).map(({ target }) => target),
    );
    const others = written
      .map(({ path }) => path)
      .filter((path) => path.startsWith("docs/") && !reached.has(path));
    expect(others).toEqual(["docs/index.md"]); // the site's first page, for which README stands elsewhere
  });
});

describe("the name of a page", () => {
  it("is the same in its heading and at the side of the site", () => {
    const own = written.filter(({ path }) => names.has(placeOf(path)) && path.startsWith("docs/"));
    expect(own.length).toBeGreaterThan(20);
    for (const { path, text } of own) expect(text.split("\n")[0], path).toBe(`# ${names.get(placeOf(path))}`);
  });

  it("is what links in capitals call it, in README and elsewhere", () => {
    const called = written.flatMap(({ path, prose }) =>
      [...prose.matchAll(/(?<!!)\[([A-Z][^\]]*)\]\(([^)\s#:]+)\)/g)].map(([, name = "", href = ""]) => {
        const place = placeOf(posix.join(posix.dirname(path), href));
        return { where: `${path}: ${name}`, name, page: names.get(place) ?? name };
      }),
    );
    expect(called.length).toBeGreaterThan(30);
    expect(called.filter(({ name, page }) => name !== page)).toEqual([]);
  });
});

/** Where a file's page is on the site. */
function placeOf(path: string): string {
  return pageOnSite(path) ?? path.replace(/^docs(.*)\.md$/, "$1");
}

describe("the links of the site", () => {
  it("lead to its own pages of files outside of docs/", () => {
    expect(linkOnSite("guide/editing.md", "../../examples/edit-and-infill.ts")).toBe(
      "/project/examples#edit-and-infill-ts",
    );
    expect(linkOnSite("guide/editing.md", "../../CONTRIBUTING.md#style")).toBe("/project/contributing#style");
    expect(linkOnSite("errors.md", "../proto/lad/v1/worker.proto")).toBe("/protocol/worker");
    expect(linkOnSite("guide/editing.md", "../method.md#6-sampling")).toBe("../method.md#6-sampling");
    expect(linkOnSite("errors.md", "#internal")).toBe("#internal");
    expect(() => linkOnSite("errors.md", "../runtime/Dockerfile")).toThrow(
      "docs/errors.md links to runtime/Dockerfile, of which the site has no page.",
    );
    expect(pageOnSite("sdk/src/index.ts")).toBeUndefined();
  });

  it("are rewritten where a page is a copy of a file outside of docs/", () => {
    expect(moved("[a](docs/runs.md) [b](bench/RESULTS.md) [c](#x) [d](https://x.dev)", "CHANGELOG.md")).toBe(
      "[a](/runs.md) [b](/project/results) [c](#x) [d](https://x.dev)",
    );
    expect(moved("[a](RESULTS.md#one-h200)", "bench/README.md")).toBe("[a](/project/results#one-h200)");
    expect(() => moved("[a](sdk/src/index.ts)", "CONTRIBUTING.md")).toThrow("links to sdk/src/index.ts");
  });

  it("are relative in what is written, so that a browser follows them from the disk", () => {
    const html =
      '<a href="/runs.html#a"></a><img src="/assets/x.svg"><a href="https://x.dev"></a><a href="/"></a>';
    expect(relativeTo("guide/editing.md", html)).toBe(
      '<a href="../runs.html#a"></a><img src="../assets/x.svg"><a href="https://x.dev"></a><a href="../index.html"></a>',
    );
    expect(relativeTo("index.md", '<a href="/api/"></a>')).toBe('<a href="./api/index.html"></a>');
  });
});
