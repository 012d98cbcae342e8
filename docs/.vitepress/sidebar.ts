/** The pages in their order. The reference's are listed by their own first pages. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DefaultTheme } from "vitepress";

type Item = DefaultTheme.SidebarItem;

const docs = join(import.meta.dirname, "..");

/** The bar at the top. */
export const nav: DefaultTheme.NavItem[] = [
  { text: "First run", link: "/guide/first-run" },
  { text: "Method", link: "/method" },
  { text: "Command line", link: "/command-line" },
  { text: "SDK", link: "/api/" },
  { text: "Errors", link: "/errors" },
];

/** The pages at the side of every page. */
export const sidebar: Item[] = [
  {
    text: "Use it",
    items: [
      { text: "First run", link: "/guide/first-run" },
      { text: "A first session", link: "/guide/first-session" },
      { text: "Your own data", link: "/guide/your-own-data" },
      { text: "Which policy when", link: "/guide/which-policy" },
      { text: "Editing and infilling", link: "/guide/editing" },
      { text: "Evaluate and report", link: "/guide/evaluate" },
      { text: "Your own noise", link: "/guide/your-own-noise" },
      { text: "Your own sampler", link: "/guide/your-own-sampler" },
      { text: "Resuming", link: "/guide/resuming" },
      { text: "Many adapters", link: "/guide/many-adapters" },
      { text: "GPU and Llama 3", link: "/guide/gpu-and-llama" },
      ...written("demo", "Demo"),
      ...written("endpoint", "Endpoint"),
    ],
  },
  {
    text: "Understand it",
    items: [
      { text: "The method", link: "/method" },
      { text: "Experiments", link: "/experiments" },
      { text: "The paper's claims, measured", link: "/reproduction" },
      { text: "How it is built", link: "/architecture" },
      { text: "Limits", link: "/limits" },
    ],
  },
  {
    text: "Look it up",
    items: [
      { text: "Command line", link: "/command-line" },
      { text: "Errors", link: "/errors" },
      { text: "Bases", link: "/bases" },
      { text: "Data", link: "/data" },
      { text: "Runs", link: "/runs" },
      { text: "Adapter files", link: "/adapter-files" },
      { text: "Benchmarks", link: "/benchmarks" },
      { text: "Reports", link: "/reports" },
      { text: "Examples", link: "/project/examples" },
      { text: "SDK", link: "/api/" },
      { text: "Protocol", link: "/protocol/" },
    ],
  },
  {
    text: "Project",
    items: [
      { text: "Changes", link: "/project/changelog" },
      { text: "Contributing", link: "/project/contributing" },
      { text: "What was measured", link: "/project/results" },
    ],
  },
];

/** A page that is listed as soon as it is there. */
function written(name: string, text: string): Item[] {
  return existsSync(join(docs, `${name}.md`)) ? [{ text, link: `/${name}` }] : [];
}
