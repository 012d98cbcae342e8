/** Reports among the documentation: folders that a program wrote, whose index.html is a page by itself. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const docs = join(import.meta.dirname, "..");

/** Their names, each a folder of docs/. */
export const reports: readonly string[] = readdirSync(docs).filter(
  (name) => existsSync(join(docs, name, "index.html")) && existsSync(join(docs, name, "results.jsonl")),
);

/** Whether a link, from docs/ and without `.html`, leads to the page of one. */
export function isReport(link: string): boolean {
  return reports.some((name) => link === `${name}/index`);
}
