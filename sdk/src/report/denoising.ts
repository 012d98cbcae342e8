/** One iteration of a sampler as lines of text: what stands on the canvas, what is masked, what just changed. */
import stringWidth from "string-width";
import { bar } from "./progress.js";

/** One answer position as it is shown. */
export interface Cell {
  /** The token's text. */
  text: string;
  /** `masked`: the next input shows MASK here; `changed`: sampled otherwise than in the iteration before. */
  state: "masked" | "changed" | "same";
}

/** One iteration of one canvas. */
export interface DenoisingFrame {
  /** What is being answered, for instance `rank 16`. */
  label: string;
  /** From 1. */
  iteration: number;
  /** How many there are at most. */
  iterations: number;
  /** The answer positions, in order. */
  cells: readonly Cell[];
}

const MASK = "░░";
const ESCAPE = "\u001b[";
const STYLES = { masked: "2", changed: "1;32", same: "" };

/** A header with the share of masked positions, then the canvas, wrapped to `columns`. */
export function denoisingLines(frame: DenoisingFrame, columns: number, color: boolean): string[] {
  const masked = frame.cells.filter((cell) => cell.state === "masked").length;
  const share = frame.cells.length > 0 ? 1 - masked / frame.cells.length : 1;
  const count = `${String(frame.iteration).padStart(String(frame.iterations).length)}/${frame.iterations}`;
  return [
    `${frame.label}  ${bar(share, 12)}  ${count}`,
    ...wrapped(frame.cells, Math.max(20, columns - 2), color),
  ];
}

/** Model output must not steer the terminal: control characters become spaces, a line break a sign. */
export function visible(text: string): string {
  return text.replace(/\n/g, "⏎").replace(/[\p{Cc}\p{Cf}]/gu, " ");
}

function wrapped(cells: readonly Cell[], width: number, color: boolean): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const cell of cells) {
    const text = cell.state === "masked" ? MASK : visible(cell.text);
    const size = stringWidth(text);
    if (used > 0 && used + size > width) {
      lines.push(`  ${line.trimEnd()}`);
      line = "";
      used = 0;
    }
    line += color ? styled(text, cell.state) : text;
    used += size;
  }
  return used > 0 ? [...lines, `  ${line.trimEnd()}`] : lines;
}

function styled(text: string, state: Cell["state"]): string {
  return STYLES[state] === "" ? text : `${ESCAPE}${STYLES[state]}m${text}${ESCAPE}0m`;
}
