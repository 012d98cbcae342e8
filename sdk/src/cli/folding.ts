/** Help and sentences in as many columns as the terminal has. */
import stringWidth from "string-width";

/** Columns by which what goes on is indented. */
const HANGING = 4;

/**
 * A text whose lines have at most `columns` characters, as far as their words allow. Behind a command its explanation goes into the
 * next lines, and the command itself is cut as a shell takes it; all else is cut at spaces, though not within backticks: what stands in
 * them is there to be copied.
 */
export function folded(text: string, columns: number): string {
  return text
    .split("\n")
    .flatMap((line) => (stringWidth(line) <= columns ? [line] : foldedLine(line, columns)))
    .join("\n");
}

function foldedLine(line: string, columns: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const below = `${indent}${" ".repeat(HANGING)}`;
  const [, command, about] = /^( {2,}\S.*?) {3,}(\S.*)$/.exec(line) ?? [];
  if (command !== undefined && about !== undefined) {
    return [...foldedCommand(command, indent, columns), ...wrapped(about.split(" "), below, below, columns)];
  }
  const isCommand = indent.length === 2 && /\blad [a-z]|^ {2}export /.test(line);
  return isCommand ? foldedCommand(line, indent, columns) : wrapped(wordsOf(line), indent, indent, columns);
}

/** `text` behind a `head`, below which its further lines begin. */
export function hanging(head: string, text: string, columns: number): string {
  return wrapped(wordsOf(text), head, " ".repeat(stringWidth(head)), columns).join("\n");
}

function wordsOf(line: string): readonly string[] {
  return line.match(/(?:`[^`]*`|[^\s`]|`)+/g) ?? [];
}

/** A command in lines that end with a backslash; what stands in quotes stays together. */
function foldedCommand(command: string, indent: string, columns: number): string[] {
  if (stringWidth(command) <= columns) return [command];
  const words = command.trim().match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const lines = wrapped(words, indent, `${indent}${" ".repeat(HANGING)}`, columns - 2);
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}

function wrapped(words: readonly string[], first: string, others: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? `${lines.length === 0 ? first : others}${word}` : `${line} ${word}`;
    if (line !== "" && stringWidth(longer) > columns) {
      lines.push(line);
      line = `${others}${word}`;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
