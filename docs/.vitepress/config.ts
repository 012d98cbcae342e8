/** The documentation site: `npm run docs` builds it into docs/.site. It asks no other machine for anything, when built or when read. */
import { defineConfig } from "vitepress";
import { diagrams } from "./markdown/diagrams.js";
import { linksToPages } from "./markdown/links.js";
import { slug } from "./markdown/slug.js";
import { relativeTo } from "./relative.js";
import { isReport } from "./reports.js";
import { nav, sidebar } from "./sidebar.js";

/** A masked word between two that stand. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 6h3v4H1zM12 6h3v4h-3z' " +
  "fill='%23777'/%3E%3Cpath d='M5 5h6v6H5z' fill='%233f62c8'/%3E%3C/svg%3E";

/** Pages that are read from the disk run no modules: what needs them is not shown there (theme/style.css). */
const FROM_DISK = 'if (location.protocol === "file:") document.documentElement.classList.add("from-disk");';

export default defineConfig({
  title: "lad",
  description:
    "LoRA-Adapted Diffusion: turns a causal Llama into a diffusion language model, from TypeScript.",
  lang: "en",
  outDir: ".site",
  cacheDir: ".vitepress/.cache",
  metaChunk: true,
  head: [
    ["link", { rel: "icon", href: ICON }],
    ["script", {}, FROM_DISK],
  ],
  ignoreDeadLinks: [(link) => isReport(link.replace(/^\.\//, ""))],
  markdown: {
    anchor: { slugify: slug },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config: (md) => {
      md.use(linksToPages);
      md.use(diagrams);
    },
  },
  transformHtml: (html, _, { page }) => relativeTo(page, html),
  themeConfig: {
    nav,
    sidebar,
    outline: { level: [2, 3] },
    docFooter: { prev: "Before", next: "Next" },
    search: {
      provider: "local",
      options: { miniSearch: { searchOptions: { boostDocument: boost, fuzzy: 0.2, prefix: true } } },
    },
  },
  vite: {
    build: {
      chunkSizeWarningLimit: 4096, // kB: the search's index is one chunk, read when a search begins
      rollupOptions: {
        onwarn: (warning, tell) => {
          if (warning.code !== "INVALID_ANNOTATION") tell(warning); // comments of zod's that rollup does not read
        },
      },
    },
  },
});

/**
 * What a person searches for is rather in a page that people wrote than in the reference or in a report. The reader's browser gets this
 * function as text, so it uses nothing but its argument.
 */
function boost(id: string): number {
  if (/^\/(api|protocol)\/|^\/\w+\/report\b/.test(id)) return 0.25;
  return id.startsWith("/project/") ? 0.5 : 1;
}
