/** The command line that the programs of this folder share. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
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
  process.on("uncaughtException", (error) => {
    if (leaving.signal.aborted && isLadError(error, "cancelled")) process.exit(INTERRUPTED);
    leave(isMeant(error) ? error.message : error, 1);
  });
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

/** The status of a program that was interrupted, as a shell has it. */
const INTERRUPTED = 130;
const leaving = new AbortController();

/**
 * A signal that the first Ctrl-C aborts, so that the program ends in order. The second one ends it at once, and its worker with it.
 *
 * @param told - what an interrupted program says last: what is kept of its work, and how to go on
 */
export function interruption(told: () => string): AbortSignal {
  process.on("SIGINT", () => {
    process.exitCode = INTERRUPTED;
    if (leaving.signal.aborted) process.exit();
    console.error("\nEnding what is under way; Ctrl-C again ends at once.");
    leaving.abort();
  });
  process.on("exit", () => leaving.signal.aborted && console.error(told()));
  return leaving.signal;
}

/**
 * How this program is called with these values of its flags, as it was called this time: by npm, or as a file.
 *
 * @param url - the program's `import.meta.url`
 */
export function callOf(url: string, values: Readonly<Record<string, string | boolean | undefined>>): string {
  const program = `npx tsx ${relative(process.cwd(), fileURLToPath(url))}`;
  const command = process.env.npm_lifecycle_event === "start" ? "npm start --" : program;
  const flags = Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, quoted(value)];
  });
  return [command, ...flags].join(" ");
}

/** A word as a shell reads it. */
function quoted(word: string): string {
  return /^[\w./,:@=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
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
