/** The command line that the programs of this folder share. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { isLadError } from "lad";

type Flags = NonNullable<ParseArgsConfig["options"]>;
type Values<Options extends Flags> = ReturnType<typeof parseArgs<{ options: Options }>>["values"];

/**
 * The values of a program's flags. `--help` prints the comment that the program begins with, and a flag that it does not take ends it
 * with how it is called. From here on an error that nobody catches ends it with its message alone, unless it is a mistake of the program.
 *
 * @param url - the program's `import.meta.url`
 */
export function commandLine<const Options extends Flags>(url: string, options: Options): Values<Options> {
  const about = aboutProgram(readFileSync(fileURLToPath(url), "utf8"));
  process.on("uncaughtException", (error) => leave(isMeant(error) ? error.message : error, 1));
  if (process.argv.includes("--help") || process.argv.includes("-h")) {
    console.log(about.join("\n"));
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const [wrong] = (error as Error).message.split(". "); // what follows is about positional arguments, which there are none of
    const usage = about.filter((line) => line.startsWith("    ")).map((line) => line.trim());
    return leave(`${wrong}.\n${usage.join("\n    ")}\n--help tells more.`, 2);
  }
}

/** The lines of the comment that a file begins with. */
function aboutProgram(source: string): string[] {
  const [, comment = ""] = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(source) ?? [];
  return comment.split("\n").map((line) => line.replace(/^ \* ?/, ""));
}

/** Whether an error was thrown to tell the caller something. */
function isMeant(error: Error): boolean {
  return isLadError(error) || error.constructor === Error;
}

function leave(why: unknown, code: number): never {
  console.error(why);
  process.exit(code);
}
