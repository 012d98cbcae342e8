/** Errors in the words of the command line: flags where programs have options. */
import type { Command } from "commander";
import type { LadError } from "../errors.js";

/** Options of programs whose flags have other names. */
const OTHERS: Readonly<Record<string, string>> = {
  timeoutMs: "--timeout",
  idleTimeoutMs: "--idle-timeout",
  maxShardBytes: "--shard-bytes",
  dataType: "--dtype",
  hubToken: "HF_TOKEN",
};

/** What programs write and a command line does not: calls that make a value, which flags take by its name. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/, or [a-z]\w*\(\)(?:, (?:…|[a-z]\w*\(\)))*(?=[.;]|$)/gi, ""], // one of remask, refine, or remask(), refine()
  [/Call it on the base: base\.sample\(\{ policy: ar\(\), … \}\)/g, "Give --adapter none"],
  [/Call it on an adapter\b/g, "Give --adapter"],
  [/\banswer: \["…", gap\(6\)\]/g, '--answer "… [6]"'],
  [/\bpolicy: ([a-z]+)\(\)/g, "--policy $1"],
];

/**
 * An error's text with a command's flags in place of the options that they set: `answerTokens is 0` is `--answer-tokens is 0`. Words that
 * may be of any sentence, such as `policy`, are replaced where they begin it as the option at fault.
 */
export function inFlags({ message, option = "" }: LadError, command: Command | undefined): string {
  const flags = flagsOf(command);
  const [name = ""] = option.split("[");
  const own = flags.get(name);
  const begun =
    own !== undefined && message.startsWith(`${option} is `) ? own + message.slice(name.length) : message;
  const asTyped = PROGRAMS.reduce((text, [written, typed]) => text.replace(written, typed), begun);
  return [...flags]
    .filter(([attribute]) => /[a-z][A-Z]/.test(attribute))
    .reduce(
      (text, [attribute, flag]) => text.replace(new RegExp(`(?<![-.\\w])${attribute}\\b:?`, "g"), flag),
      asTyped,
    )
    .replace("--timeout (0: none)", "--timeout") // there is none where the flag is not given
    .replaceAll("overwrite: true", "--overwrite");
}

/** The flags of a command and those under it, by the names of their values. */
function flagsOf(command: Command | undefined): ReadonlyMap<string, string> {
  const all = command === undefined ? [] : [command, ...command.commands].flatMap(({ options }) => options);
  const named = all.flatMap((option) =>
    option.long ? [[option.attributeName(), option.long] as const] : [],
  );
  return new Map([...Object.entries(OTHERS), ...named]);
}
