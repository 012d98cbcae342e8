/** No link of the documentation leads nowhere: in the repository, in the package, and on the site. */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { linkOnSite, pageOf as pageOnSite } from "../../docs/.vitepress/markdown/links.js";
import { relativeTo } from "../../docs/.vitepress/relative.js";
import { moved } from "../../sdk/tools/docs/project-pages.js";
import { anchorsOf, type Page, pageOf, pages, root } from "./support/pages.js";

const written = pages();
const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };

interface Link {
  readonly page: Page;
  readonly href: string;
  /** The file that it leads to, from the repository's root. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** Every link and picture that stays in the repository. */
const links: Link[] = written.flatMap((page) =>
  [...page.prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)]
    .map(({ 1: first, 2: second }) => first ?? second ?? "")
    .filter((href) => !/^[a-z]+:/.test(href))
    .map((href) => {
      const [path = "", anchor] = href.split("#");
      const target = path === "" ? page.path : posix.join(posix.dirname(page.path), path);
      return { page, href, target, anchor };
    }),
);

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

  it("lead to what the package has, from what the package has", () => {
    const always = ["package.json", "README.md", "LICENSE"];
    const isPublished = (path: string) =>
      always.includes(path) ||
      (files.some((entry) => path === entry || path.startsWith(`${entry}/`)) &&
        !files.some((entry) => path.startsWith(`${entry.slice(1)}/`) && entry.startsWith("!")));
    const dead = links.filter(({ page, target }) => isPublished(page.path) && !isPublished(target));
    expect(dead.map(({ page, href }) => `${page.path}: ${href}`)).toEqual([]);
    expect(isPublished("docs/guide/editing.md")).toBe(true);
    expect(isPublished("docs/api/index.md")).toBe(false);
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
