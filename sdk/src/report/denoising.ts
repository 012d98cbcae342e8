/** One iteration of a sampler as lines of text: what stands on the canvas, what is masked, what just changed. */
import stringWidth from "string-width";
import { bar } from "./progress.js";

/** One answer position as it is shown. */
export interface Cell {
  /** The token's text. */
  text: string;
  /**
   * `masked`: the next input shows MASK here; `changed`: sampled otherwise than in the iteration before. Of a round of self-speculation:
   * `accepted`, drafted and stands now; `own`, the base's own token; `refused`, the drafted token that it replaced; `drafted`, those
   * behind that one, of which nothing is decided.
   */
  state: "masked" | "changed" | "same" | "accepted" | "own" | "refused" | "drafted";
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
const STYLES: Record<Cell["state"], string> = {
  masked: "2",
  changed: "1;32",
  same: "",
  accepted: "1;32",
  own: "1;36",
  refused: "9;31",
  drafted: "2;3",
};
/** What stands around the tokens of a round where there is no colour. */
const MARKS: Partial<Record<Cell["state"], readonly [string, string]>> = {
  accepted: ["«", "»"],
  own: ["[", "]"],
  refused: ["~", "~"],
  drafted: ["(", ")"],
};
const LEGEND: readonly Cell[] = [
  { text: "accepted", state: "accepted" },
  { text: " ", state: "same" },
  { text: "the base's own", state: "own" },
  { text: " ", state: "same" },
  { text: "refused", state: "refused" },
  { text: " ", state: "same" },
  { text: "drafted", state: "drafted" },
];

/**
 * A header with the share of masked positions, then the canvas, wrapped to `columns`. Of a round of self-speculation the header also
 * says how many of the drafted tokens stand, and a legend follows.
 */
export function denoisingLines(frame: DenoisingFrame, columns: number, color: boolean): string[] {
  const { cells, label, iteration, iterations } = frame;
  const share = cells.length > 0 ? 1 - countOf(cells, "masked") / cells.length : 1;
  const count = `${String(iteration).padStart(String(iterations).length)}/${iterations}`;
  const header = `${label}  ${bar(share, 12)}  ${count}`;
  const width = Math.max(20, columns - 2);
  if (!cells.some(({ state }) => state in MARKS)) return [header, ...wrapped(cells, width, color)];
  const accepted = countOf(cells, "accepted");
  const drafted = accepted + countOf(cells, "refused") + countOf(cells, "drafted");
  return [
    `${header}  ${accepted} of ${drafted} drafted accepted`,
    ...wrapped(cells, width, color),
    ...wrapped(LEGEND, width, color),
  ];
}

function countOf(cells: readonly Cell[], state: Cell["state"]): number {
  return cells.filter((cell) => cell.state === state).length;
}

/**
 * Model output must not steer the terminal: control characters become spaces, a line break a sign. What joins the letters of one sign, such
 * as a family's, stays.
 */
export function visible(text: string): string {
  return text.replace(/\n/g, "⏎").replace(/(?![\u200C\u200D])[\p{Cc}\p{Cf}]/gu, " ");
}

function wrapped(cells: readonly Cell[], width: number, color: boolean): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const [index, cell] of cells.entries()) {
    const plain = cell.state === "masked" ? MASK : visible(cell.text);
    const text = color ? plain : marked(plain, cells, index);
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

/** The text with the marks of its kind where a run of that kind begins and ends. */
function marked(text: string, cells: readonly Cell[], index: number): string {
  const state = cells[index]?.state ?? "same";
  const [open, close] = MARKS[state] ?? ["", ""];
  const begins = cells[index - 1]?.state !== state;
  const ends = cells[index + 1]?.state !== state;
  return `${begins ? open : ""}${text}${ends ? close : ""}`;
}

function styled(text: string, state: Cell["state"]): string {
  return STYLES[state] === "" ? text : `${ESCAPE}${STYLES[state]}m${text}${ESCAPE}0m`;
}
