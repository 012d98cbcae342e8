/**
 * Builds the documentation site into docs/.site: `npm run docs`. Any warning of the tools that it is made with fails it.
 *
 * `--serve` then serves it on this machine. Read from the disk (docs/.site/index.html) it has everything but its search and the figure.
 */
import { existsSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { reports } from "../../docs/.vitepress/reports.js";
import { inFolder, root } from "./checkout.js";
import { writeProjectPages } from "./docs/project-pages.js";
import { writeProtocolPages } from "./docs/protocol-pages.js";
import { serveSite } from "./docs/serve.js";

const API = "docs/api";
const SITE = "docs/.site";

const { serve } = parseArgs({ options: { serve: { type: "boolean", default: false } } }).values;
await reference();
await writeProtocolPages(join(root, "docs/protocol"));
await writeProjectPages(join(root, "docs/project"));
await rm(join(root, SITE), { recursive: true, force: true });
await quietly("vitepress", ["build", "docs"]);
for (const name of reports) {
  await cp(join(root, "docs", name, "index.html"), join(root, SITE, name, "index.html"));
}
if (!existsSync(join(root, SITE, "index.html"))) throw new Error(`vitepress wrote no ${SITE}/index.html.`);
console.log(`The site is in ${SITE}: open its index.html, or serve it by \`npm run docs -- --serve\`.`);
if (serve) console.log(`${(await serveSite(join(root, SITE))).url}/ until Ctrl-C.`);

/** The reference of the published types, as Markdown. */
function reference(): Promise<void> {
  const words = ["--plugin", "typedoc-plugin-markdown", "--options", "sdk/tools/docs/typedoc.json"];
  return quietly("typedoc", [...words, "--logLevel", "Warn", "--readme", "none", "--out", API]);
}

/** Runs a tool, shows what it says, and fails where it warns. */
async function quietly(command: string, words: readonly string[]): Promise<void> {
  const { all, failed } = await execa(command, words, {
    ...inFolder({ NO_COLOR: "1", CI: "1" }),
    stdout: "pipe",
    stderr: "pipe",
    all: true,
    reject: false,
  });
  const warnings = all.split("\n").filter((line) => /\bwarn(ing)?\b|\(!\)|deprecat|dead link/i.test(line));
  if (!failed && warnings.length === 0) return;
  console.error(all);
  throw new Error(`${command} ${failed ? "failed" : `warned: ${warnings[0]}`}`);
}
