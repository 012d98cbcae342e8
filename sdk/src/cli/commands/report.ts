import { statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { readReport } from "../../index.js";
import { type Cli, note, print, printJson } from "../cli.js";

const EXAMPLES = `
Examples:
  lad report reproduction                     of \`lad reproduce\`, also while it goes on
  lad report ranks.json --out ranks           of \`lad sweep --manifest ranks.json\`, or an experiment's
  lad report results/arc-easy                 of the folder of runBenchmark

Nothing is computed: what is kept is written as one HTML file, as Markdown, and as lines of JSON.`;

/** `lad report` */
export function reportCommand(cli: Cli): Command {
  return new Command("report")
    .argument("<results>", "a manifest, or the folder of a benchmark or a reproduction")
    .option("-o, --out <folder>", "where it is written (default: report in the folder, or <manifest>-report)")
    .option("--json", "the paths of what is written as a line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, { out, json }: { out?: string; json?: boolean }) => {
      const report = await readReport(path);
      const written = await report.write(out ?? besides(path));
      const { html, markdown } = written;
      if (json) printJson(cli, written);
      else print(cli, html);
      note(cli, `The same as Markdown: ${markdown}`);
    });
}

function besides(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? join(path, "report") : `${path.replace(/\.json$/, "")}-report`;
}
