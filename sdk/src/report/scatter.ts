/** A scatter plot of text. Made here because the plots of asciichart and its like are lines over evenly spaced points. */
import stringWidth from "string-width";

/** One point: where it lies, and the letter that stands for it. */
export interface Point {
  /** On the horizontal axis, above 0. */
  readonly x: number;
  /** On the vertical axis. */
  readonly y: number;
  /** One character. */
  readonly mark: string;
}

/** How a plot is drawn. */
export interface ScatterOptions {
  /** Columns in all. Default: 60. */
  readonly width?: number | undefined;
  /** Lines of the plot itself. Default: 12. */
  readonly height?: number | undefined;
  /** Shows a vertical value. Default: with two digits. */
  readonly label?: ((y: number) => string) | undefined;
}

/** The points over a logarithmic horizontal axis, whose powers of two are named below. Of points in one place the first is shown. */
export function scatter(points: readonly Point[], options: ScatterOptions = {}): string {
  const { width = 60, height = 12, label = (y: number) => y.toFixed(2) } = options;
  const logs = points.map(({ x }) => Math.log2(x));
  const [left, right] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs, Math.min(...logs) + 1))];
  const [low, high] = bounds(points.map(({ y }) => y));
  const labels = [label(low), label((low + high) / 2), label(high)];
  const margin = Math.max(...labels.map((text) => stringWidth(text)));
  const columns = Math.max(8, width - margin - 3);
  const column = (log: number) => Math.round(((log - left) / (right - left)) * (columns - 1));
  const line = (y: number) => height - 1 - Math.round(((y - low) / (high - low)) * (height - 1));
  const cells = Array.from({ length: height }, () => Array<string>(columns).fill(" "));
  for (const [index, { y, mark }] of [...points.entries()].reverse()) {
    (cells[line(y)] as string[])[column(logs[index] as number)] = mark;
  }
  const named = new Map([
    [0, labels[2]],
    [line((low + high) / 2), labels[1]],
    [height - 1, labels[0]],
  ]);
  const rows = cells.map((row, at) => `${(named.get(at) ?? "").padStart(margin)} ┤${row.join("")}`.trimEnd());
  const powers = Array.from({ length: right - left + 1 }, (_, i) => left + i);
  const axis = Array<string>(columns + 3).fill(" ");
  for (const power of powers) {
    for (const [i, digit] of [...String(2 ** power)].entries()) axis[column(power) + i] = digit;
  }
  const space = " ".repeat(margin);
  return [...rows, `${space} └${"─".repeat(columns)}`, `${space}  ${axis.join("").trimEnd()}`].join("\n");
}

function bounds(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? [low, low + 1] : [low, high];
}
