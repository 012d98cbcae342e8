import { statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { readReport } from "../../index.js";
import { type Cli, note, print } from "../cli.js";

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
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, { out }: { out?: string }) => {
      const report = await readReport(path);
      const { html, markdown } = await report.write(out ?? besides(path));
      print(cli, html);
      note(cli, `The same as Markdown: ${markdown}`);
    });
}

function besides(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? join(path, "report") : `${path.replace(/\.json$/, "")}-report`;
}
