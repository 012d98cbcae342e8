import { Command } from "commander";
import type { Column } from "../../report/index.js";
import { type Cli, printJson, printTable } from "../cli.js";
import { typable } from "../invocation.js";

interface NamedBase {
  readonly name: string;
  readonly parameters: string;
  readonly about: string;
}

const BASES: readonly NamedBase[] = [
  { name: "stub", parameters: "8,864", about: "random weights, for tests" },
  {
    name: "tiny-0.7m",
    parameters: "707,456",
    about: "answers fifteen kinds of questions; comes with lad",
  },
  { name: "tiny", parameters: "1,955,520", about: "the same, larger" },
  { name: "tiny-5m", parameters: "5,065,984", about: "the same, larger still" },
  {
    name: "smollm2-135m",
    parameters: "134,515,008",
    about: "needs `lad setup --with smollm2`",
  },
  {
    name: "<owner>/<name>",
    parameters: "–",
    about: "of the hub, as meta-llama/Llama-3.2-1B-Instruct",
  },
  {
    name: "./folder",
    parameters: "–",
    about: "a Llama in safetensors, on the worker's machine",
  },
];

const COLUMNS: readonly Column<NamedBase>[] = [
  { header: "base", align: "left", cell: ({ name }) => name },
  { header: "parameters", cell: ({ parameters }) => parameters },
  { header: "what it is", align: "left", cell: ({ about }) => typable(about) },
];

/** `lad bases` */
export function basesCommand(cli: Cli): Command {
  return new Command("bases")
    .option("--json", "one line of JSON for each")
    .addHelpText("after", "\nExample:\n  lad bases --json")
    .action(({ json }: { json?: boolean }) => {
      if (json) for (const base of BASES) printJson(cli, base);
      else printTable(cli, COLUMNS, BASES);
    });
}
