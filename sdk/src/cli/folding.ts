/** Help in as many columns as the terminal has. */

/** Columns by which what goes on is indented. */
const HANGING = 4;

/**
 * A help text whose lines have at most `columns` characters, as far as their words allow. Behind a command its explanation goes into the
 * next lines, and the command itself is cut as a shell takes it; all else is cut at spaces.
 */
export function folded(text: string, columns: number): string {
  return text
    .split("\n")
    .flatMap((line) => (line.length <= columns ? [line] : foldedLine(line, columns)))
    .join("\n");
}

function foldedLine(line: string, columns: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const hanging = `${indent}${" ".repeat(HANGING)}`;
  const [, command, about] = /^( {2,}\S.*?) {3,}(\S.*)$/.exec(line) ?? [];
  if (command !== undefined && about !== undefined) {
    return [
      ...foldedCommand(command, indent, columns),
      ...wrapped(about.split(" "), hanging, hanging, columns),
    ];
  }
  if (/\blad [a-z]/.test(line) && indent.length === 2) return foldedCommand(line, indent, columns);
  return wrapped(line.trim().split(/ +/), indent, indent, columns);
}

/** A command in lines that end with a backslash; what stands in quotes stays together. */
function foldedCommand(command: string, indent: string, columns: number): string[] {
  if (command.length <= columns) return [command];
  const words = command.trim().match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const lines = wrapped(words, indent, `${indent}${" ".repeat(HANGING)}`, columns - 2);
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}

function wrapped(words: readonly string[], first: string, others: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? `${lines.length === 0 ? first : others}${word}` : `${line} ${word}`;
    if (line !== "" && longer.length > columns) {
      lines.push(line);
      line = `${others}${word}`;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
