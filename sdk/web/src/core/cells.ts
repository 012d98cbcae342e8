/** What a canvas shows at each position of an answer after an iteration. */
import type { ShownFrame } from "../../../src/demo/messages.js";

/**
 * What became of a position. `masked`: not written yet; `remasked`: was written, and is to be written again; `written`: just now;
 * `edited`: another token stands there than before; `kept`: final for the policy; `pinned`: by the user; `held`: while another span is
 * written again; `drafted`: of the user's draft, as it was. Of a round of self-speculation: `accepted`, `own` (the base's own token),
 * `refused`, and `unchecked`, what was drafted behind a refused token.
 */
export type Mark =
  | "masked"
  | "remasked"
  | "written"
  | "edited"
  | "kept"
  | "pinned"
  | "held"
  | "drafted"
  | "accepted"
  | "own"
  | "refused"
  | "unchecked";

/** A position as it is shown. */
export interface Cell {
  readonly position: number;
  readonly id: number;
  /** What stands there, or was sampled where it is masked. */
  readonly text: string;
  /** Of that token: from 0 to 1. */
  readonly confidence: number;
  readonly marks: readonly Mark[];
  /** Where the answer ends, or behind that. */
  readonly place: "answer" | "end" | "tail";
}

/** What cells depend on beside the frame. */
export interface Facts {
  readonly maskTokenId: number;
  readonly stopTokenIds: readonly number[];
}

/** The cells after an iteration; `before` are those of the one before, `pins` the user's, `hasDraft` whether the run began from a draft. */
export function cellsOf(
  frame: ShownFrame,
  before: readonly Cell[] | undefined,
  facts: Facts,
  { pins, hasDraft }: { readonly pins: readonly boolean[]; readonly hasDraft: boolean },
): Cell[] {
  if (frame.state === undefined) return shared(placed(leftToRight(frame, before), facts), before);
  const edits = new Map(frame.edits.map((edit) => [edit.position, edit]));
  const { state } = frame;
  const cells = frame.answer.map((id, position): Omit<Cell, "place"> => {
    const edit = edits.get(position);
    const last = before?.[position];
    const marks: Mark[] = [];
    const isMasked = state.masked[position] === true;
    const wasMasked = edit !== undefined && edit.oldToken === facts.maskTokenId && last?.id !== id;
    const isEdited =
      edit !== undefined && edit.oldToken !== facts.maskTokenId && edit.newToken !== edit.oldToken;
    if (isMasked) marks.push(last !== undefined && !isOpen(last) ? "remasked" : "masked");
    else if (isEdited) marks.push("edited");
    else if (wasMasked || (last !== undefined && isOpen(last))) marks.push("written");
    if (pins[position]) marks.push("pinned");
    else if (state.pinned[position]) marks.push("held");
    else if (state.kept[position]) marks.push("kept");
    const isDraft = before === undefined ? hasDraft && edit?.oldToken !== facts.maskTokenId : isDrafted(last);
    if (isDraft && !isEdited && !isMasked) marks.push("drafted");
    const confidence = edit?.confidence ?? state.confidences[position] ?? last?.confidence ?? 0;
    return { position, id, text: frame.pieces[position] ?? "", confidence, marks };
  });
  return shared(placed(cells, facts), before);
}

/** Whether a cell is masked. */
export function isOpen({ marks }: Cell): boolean {
  return marks.includes("masked") || marks.includes("remasked");
}

/** The positions of the word that a position is in: its token, and those around it that no white space parts from it. */
export function wordAt(cells: readonly Cell[], position: number): [from: number, to: number] {
  const joins = (cell: Cell | undefined) =>
    cell !== undefined && cell.place === "answer" && !isOpen(cell) && /^[\p{L}\p{N}\p{M}]/u.test(cell.text);
  const isWord = (cell: Cell | undefined) =>
    cell !== undefined && cell.place === "answer" && !isOpen(cell) && /[\p{L}\p{N}\p{M}]$/u.test(cell.text);
  let from = position;
  while (from > 0 && joins(cells[from]) && isWord(cells[from - 1])) from -= 1;
  let to = position + 1;
  while (to < cells.length && isWord(cells[to - 1]) && joins(cells[to])) to += 1;
  return [from, to];
}

function isDrafted(cell: Cell | undefined): boolean {
  return cell?.marks.includes("drafted") ?? false;
}

function leftToRight(
  { answer, edits, pieces, refused, speculation }: ShownFrame,
  before: readonly Cell[] | undefined,
): Omit<Cell, "place">[] {
  const first = answer.length - edits.length;
  const cells = answer.map((id, position): Omit<Cell, "place"> => {
    const confidence = edits[position - first]?.confidence ?? before?.[position]?.confidence ?? 1;
    const marks: Mark[] = [];
    if (position >= first) {
      if (speculation === undefined) marks.push("written");
      else marks.push(position < first + speculation.accepted ? "accepted" : "own");
    }
    return { position, id, text: pieces[position] ?? "", confidence, marks };
  });
  const behind = refused.map(
    (text, index): Omit<Cell, "place"> => ({
      position: answer.length + index,
      id: speculation?.drafted[speculation.accepted + index] ?? -1,
      text,
      confidence: 0,
      marks: [index === 0 ? "refused" : "unchecked"],
    }),
  );
  return [...cells, ...behind];
}

function placed(cells: readonly Omit<Cell, "place">[], { stopTokenIds }: Facts): Cell[] {
  const isEnd = ({ id, marks }: Omit<Cell, "place">) =>
    stopTokenIds.includes(id) && !marks.includes("refused") && !marks.includes("unchecked");
  const end = cells.findIndex(isEnd);
  return cells.map((cell, index) => ({
    ...cell,
    place: end < 0 || index < end ? "answer" : index === end ? "end" : "tail",
  }));
}

/** Those that look as before are the very ones of before, so that a canvas draws only what has changed. */
function shared(cells: readonly Cell[], before: readonly Cell[] | undefined): Cell[] {
  return cells.map((cell, index) => {
    const last = before?.[index];
    return last !== undefined && isSame(cell, last) ? last : cell;
  });
}

function isSame(a: Cell, b: Cell): boolean {
  return (
    a.id === b.id &&
    a.position === b.position &&
    a.text === b.text &&
    a.confidence === b.confidence &&
    a.place === b.place &&
    a.marks.length === b.marks.length &&
    a.marks.every((mark, index) => mark === b.marks[index])
  );
}
