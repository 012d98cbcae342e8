import { Command } from "commander";
import { LadError } from "../../index.js";
import { type Cli, columnsOf, print, printJson } from "../cli.js";
import { hanging } from "../folding.js";
import { typable } from "../invocation.js";
import { EXAMINATIONS, type Finding } from "../support/examinations.js";

const SIGNS: Readonly<Record<Finding["state"], string>> = { fine: "✓", warning: "!", problem: "✗" };

/** `lad doctor` */
export function doctorCommand(cli: Cli): Command {
  return new Command("doctor")
    .option("--json", "one line of JSON for each finding")
    .addHelpText("after", "\nExample:\n  lad doctor\n\nIts status is 3 where a worker cannot start.")
    .action(({ json }: { json?: boolean }) => examine(cli, json === true));
}

async function examine(cli: Cli, json: boolean): Promise<void> {
  const tell = (head: string, text: string) =>
    print(cli, hanging(head, typable(text), columnsOf(cli.stdout)));
  let problems = 0;
  for (const { name, look } of EXAMINATIONS) {
    const finding = await look();
    if (finding.state === "problem") problems++;
    if (json) printJson(cli, { name, ...finding });
    else {
      tell(`${SIGNS[finding.state]} ${name.padEnd(12)} `, finding.text);
      if (finding.remedy) tell(" ".repeat(15), finding.remedy);
    }
  }
  if (problems > 0) throw new LadError("setup-failed", `${problems} of these must be mended first.`);
}
