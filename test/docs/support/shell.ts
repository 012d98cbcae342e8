/** Commands of pages: programs that are there, with words that they take. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { COMMANDS } from "../../../sdk/src/cli/program.js";
import { captured } from "../../sdk/cli/support.js";
import { root } from "./pages.js";

/** Programs that every machine has, or that the page tells to install. */
const OTHERS = new Set(
  "cat cd chromium cp curl docker docker-compose echo export git ls mkdir openssl pip printf ssh tensorboard".split(
    " ",
  ),
);
const NPM = new Set("ci init install pack pkg start test version".split(" "));

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Readonly<Record<string, string>>;
};

/** What is wrong with the commands of a block; nothing, if all is well. */
export async function shellProblems(code: string): Promise<string[]> {
  const found: string[] = [];
  for (const words of commandsOf(code)) {
    const problem = await commandProblem(words);
    if (problem !== undefined) found.push(`${words.join(" ")}: ${problem}`);
  }
  return found;
}

/** What is wrong with one command, as its words. */
export async function commandProblem(words: readonly string[]): Promise<string | undefined> {
  const [program = "", first = "", ...rest] = words.filter((word, i) => i > 0 || !/^\w+=/.test(word));
  if (/^\w+=/.test(words[0] ?? "") && words.length > 1) return commandProblem(words.slice(1));
  if (program === "lad") return ladProblem([first, ...rest].filter((word) => word !== ""));
  if (program === "npx" && first === "lad") return ladProblem(rest);
  if (program === "npx" && first === "tsx") return scriptProblem(rest);
  if (program === "npm") return npmProblem([first, ...rest]);
  if (program === "node")
    return scriptProblem([first, ...rest].filter((word) => !/^(--import|tsx)$/.test(word)));
  if (/(^|\/)python3?$/.test(program)) return pythonProblem([first, ...rest]);
  if (program === "docker" || program === "docker-compose") return profileProblem(rest);
  if (OTHERS.has(program) || existsSync(join(root, program))) return undefined;
  return `there is no program ${program}`;
}

async function npmProblem([first = "", ...rest]: readonly string[]): Promise<string | undefined> {
  const script = first === "run" ? rest[0] : first;
  const words = rest.includes("--") ? rest.slice(rest.indexOf("--") + 1) : [];
  if (script === "lad") return ladProblem(words);
  if (first !== "run" && script !== "start" && script !== "test") {
    return NPM.has(first) ? undefined : `npm has no ${first}`;
  }
  const source = scripts[script ?? ""]?.split(" ").at(-1);
  if (source === undefined) return `there is no script ${script}`;
  return scriptProblem([source, ...words]);
}

/** A program of the repository takes each flag whose name stands in its source, or in what it imports from beside it. */
function scriptProblem([path = "", ...words]: readonly string[]): string | undefined {
  const flags = words.filter((word) => word.startsWith("--")).map((word) => word.slice(2).replace(/=.*/, ""));
  if (!path.includes("/") && !existsSync(join(root, path))) return undefined; // the reader's own
  if (!existsSync(join(root, path))) return `there is no ${path}`;
  const sources = [path, ...importedBy(path)]
    .map((each) => readFileSync(join(root, each), "utf8"))
    .join("\n");
  const strange = flags.find(
    (flag) => !new RegExp(String.raw`["'\s{]${flag}["']?[:,)]|--${flag}\b`).test(sources),
  );
  return strange === undefined ? undefined : `${path} takes no --${strange}`;
}

function importedBy(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/from "(\.[^"]+)\.js"/g)]
    .map(([, name = ""]) => join(path, "..", `${name}.ts`))
    .filter((each) => existsSync(join(root, each)));
}

function pythonProblem(words: readonly string[]): string | undefined {
  const module = words[words.indexOf("-m") + 1] ?? "";
  if (!words.includes("-m") || module === "pytest") return undefined;
  return existsSync(join(root, "runtime", module, "__main__.py"))
    ? undefined
    : `there is no module ${module}`;
}

function profileProblem(words: readonly string[]): string | undefined {
  const profile = words[words.indexOf("--profile") + 1];
  if (!words.includes("--profile")) return undefined;
  const known = readFileSync(join(root, "docker-compose.yml"), "utf8").includes(`profiles: ["${profile}"]`);
  const listed = new RegExp(String.raw`profiles:\s*(\[\s*"?${profile}\b|\n\s*- ${profile}\b)`);
  return known || listed.test(readFileSync(join(root, "docker-compose.yml"), "utf8"))
    ? undefined
    : `docker-compose.yml has no profile ${profile}`;
}

/** Whether `lad` takes these words: its own command and flags, each value as the flag reads it. */
async function ladProblem([name = "", ...words]: readonly string[]): Promise<string | undefined> {
  if (name === "" || name === "help" || /^--(help|version)$/.test(name) || name.startsWith("<"))
    return undefined;
  const listed = COMMANDS[name];
  if (listed === undefined) return `lad has no command ${name}`;
  let command: Command = (await listed.load())(captured().cli);
  let rest = words.map((word) => (/^<.*>$/.test(word) || word === "…" ? "x" : word));
  for (;;) {
    const inner = command.commands.find((each) => each.name() === rest[0]);
    if (inner === undefined) break;
    [command, rest] = [inner, rest.slice(1)];
  }
  if (command.commands.length > 0 && rest.length > 0) return `lad ${name} has no ${rest[0]}`;
  try {
    const { operands, unknown } = command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseOptions([...rest]);
    if (unknown.length > 0 && unknown[0] !== "--help") return `lad ${name} takes no ${unknown[0]}`;
    const most = command.registeredArguments.some(({ variadic }) => variadic)
      ? Number.POSITIVE_INFINITY
      : command.registeredArguments.length;
    return operands.length > most ? `lad ${name} takes no ${operands[most]}` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The commands of a shell's text as words: of pipes and lists each, without comments. */
export function commandsOf(code: string): string[][] {
  const commands: string[][] = [];
  for (const line of code.replace(/\\\n\s*/g, " ").split("\n")) {
    let words: string[] = [];
    const pattern =
      /\s+|(#.*)|(&&|\|\||[|;&](?![\w]))|((?:[^\s"'|;&#]|"(?:\\.|[^"\\])*"|'[^']*'|(?<=\S)#|&(?=\w))+)/gy;
    for (const [, comment, operator, word] of line.matchAll(pattern)) {
      if (comment !== undefined) break;
      if (operator !== undefined) {
        commands.push(words);
        words = [];
      }
      if (word !== undefined) words.push(word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_, a, b) => a ?? b));
    }
    commands.push(words);
  }
  return commands.map(withoutRedirections).filter((words) => words.length > 0);
}

function withoutRedirections(words: readonly string[]): string[] {
  const end = words.findIndex((word) => /^\d?>/.test(word));
  return end < 0 ? [...words] : words.slice(0, end);
}
