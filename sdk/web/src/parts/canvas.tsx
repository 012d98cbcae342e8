/** An answer's canvas: every token, its confidence and its marks; a list in which words are selected. */
import { useSignal } from "@preact/signals";
import { Component } from "preact";
import { useRef } from "preact/hooks";
import { type Cell, isOpen, type Mark, wordAt } from "../core/cells.js";

/** Positions from `from` up to, without, `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a user asks for on a canvas. */
export interface CanvasActions {
  readonly onSelect: (span: Span | undefined) => void;
  readonly onPin: (span: Span) => void;
  readonly onWrite: (span: Span) => void;
  readonly onAgain: (span: Span) => void;
  readonly onUndo: () => void;
}

/** Milliseconds in which a second click makes the first one no pin. */
const DOUBLE_CLICK_MS = 220;

export function Canvas({
  name,
  cells,
  selected,
  actions,
}: {
  /** What a screen reader calls it. */
  name: string;
  cells: readonly Cell[];
  selected: Span | undefined;
  /** Undefined where nothing can be edited. */
  actions: CanvasActions | undefined;
}) {
  const focus = useSignal(0);
  /** `before`: what was selected when it began. */
  const drag = useRef<{ anchor: Span; isSpan: boolean; before: Span | undefined } | undefined>(undefined);
  const click = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const list = useRef<HTMLDivElement>(null);
  if (cells.length === 0) return <p class="canvas empty">Nothing has been asked yet.</p>;

  const spanAt = (position: number): Span => {
    const [from, to] = wordAt(cells, position);
    return { from, to };
  };
  const reach = (a: Span, b: Span): Span => ({ from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) });
  const positionOf = (target: EventTarget | null): number | undefined => {
    const cell = (target as Element | null)?.closest?.("[data-position]");
    return cell instanceof HTMLElement ? Number(cell.dataset.position) : undefined;
  };
  const isIn = (span: Span | undefined, p: number) => span !== undefined && p >= span.from && p < span.to;
  /** The selection, as far as the focus is in it. */
  const chosen = () => (selected && isIn(selected, focus.value) ? selected : spanAt(focus.value));
  const moveTo = (position: number, isExtending: boolean) => {
    const at = Math.max(0, Math.min(cells.length - 1, position));
    actions?.onSelect(isExtending ? reach(chosen(), { from: at, to: at + 1 }) : spanAt(at));
    focus.value = at;
    list.current?.querySelector<HTMLElement>(`[data-position="${at}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const span = chosen();
    const [from, to] = wordAt(cells, focus.value);
    const acts: Record<string, () => void> = {
      ArrowRight: () => moveTo(event.shiftKey ? focus.value + 1 : to, event.shiftKey),
      ArrowLeft: () => moveTo(from - 1, event.shiftKey),
      Home: () => moveTo(0, event.shiftKey),
      End: () => moveTo(cells.length - 1, event.shiftKey),
      Escape: () => actions?.onSelect(undefined),
      ...(actions && {
        " ": () => actions.onPin(span),
        p: () => actions.onPin(span),
        Enter: () => actions.onWrite(span),
        t: () => actions.onWrite(span),
        r: () => actions.onAgain(span),
        u: () => actions.onUndo(),
      }),
    };
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  const onPointerDown = (event: PointerEvent) => {
    const position = positionOf(event.target);
    if (position === undefined || event.button !== 0) return;
    focus.value = position;
    drag.current = { anchor: spanAt(position), isSpan: false, before: selected };
    if (event.shiftKey && selected) {
      drag.current = { anchor: selected, isSpan: true, before: selected };
      actions?.onSelect(reach(selected, spanAt(position)));
    } else actions?.onSelect(spanAt(position));
  };
  const onPointerMove = (event: PointerEvent) => {
    if (drag.current === undefined || event.buttons !== 1) return;
    // A finger's events all go to the token on which it was put down.
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const position = list.current?.contains(under) ? positionOf(under) : undefined;
    if (position === undefined) return;
    const { anchor, isSpan } = drag.current;
    if (!isSpan && isIn(anchor, position)) return;
    drag.current.isSpan = true;
    const span = reach(anchor, spanAt(position));
    if (span.from !== selected?.from || span.to !== selected.to) actions?.onSelect(span);
  };
  /** The browser scrolls with it instead. */
  const onPointerCancel = () => {
    if (drag.current !== undefined) actions?.onSelect(drag.current.before);
    drag.current = undefined;
  };
  const onClick = (event: MouseEvent) => {
    const position = positionOf(event.target);
    const wasSpan = drag.current?.isSpan === true;
    drag.current = undefined;
    clearTimeout(click.current);
    if (position === undefined || wasSpan || event.shiftKey || actions === undefined) return;
    const span = spanAt(position);
    if (event.detail > 1) actions.onWrite(span);
    else click.current = setTimeout(() => actions.onPin(span), DOUBLE_CLICK_MS);
  };
  return (
    <div
      ref={list}
      class="canvas"
      role="listbox"
      tabIndex={-1}
      aria-label={name}
      aria-multiselectable="true"
      onKeyDown={onKeyDown}
      onFocusIn={(event) => {
        focus.value = positionOf(event.target) ?? focus.value;
      }}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerCancel={onPointerCancel}
      onClick={onClick}
    >
      {cells.map((cell, index) => (
        <Token
          key={index}
          cell={cell}
          isSelected={isIn(selected, index)}
          isFocusable={index === Math.min(focus.value, cells.length - 1)}
        />
      ))}
    </div>
  );
}

interface TokenProps {
  readonly cell: Cell;
  readonly isSelected: boolean;
  readonly isFocusable: boolean;
}

/** A position. It is drawn again only if it looks different: of an iteration's hundreds most do not. */
class Token extends Component<TokenProps> {
  override shouldComponentUpdate(next: TokenProps): boolean {
    const { cell, isSelected, isFocusable } = this.props;
    return cell !== next.cell || isSelected !== next.isSelected || isFocusable !== next.isFocusable;
  }

  override render({ cell, isSelected, isFocusable }: TokenProps) {
    const level = `c${Math.min(4, Math.floor(cell.confidence * 5))}`;
    return (
      <span
        class={["token", level, cell.place, ...cell.marks].join(" ")}
        role="option"
        aria-selected={isSelected}
        aria-label={labelOf(cell)}
        tabIndex={isFocusable ? 0 : -1}
        data-position={cell.position}
      >
        {shownText(cell)}
      </span>
    );
  }
}

function shownText({ text, place }: Cell): string {
  if (place === "end") return "■";
  if (place === "tail") return "·";
  return text.replaceAll("\n", "⏎\n");
}

/** In the order in which they are said. */
const SAID: Readonly<Record<Mark, string>> = {
  masked: "masked",
  remasked: "masked again",
  written: "just written",
  edited: "changed",
  kept: "kept",
  pinned: "pinned",
  held: "held",
  drafted: "of the draft",
  accepted: "accepted",
  own: "the base's own",
  refused: "refused",
  unchecked: "drafted, not checked",
};

function labelOf(cell: Cell): string {
  if (cell.place === "end") return "end of the answer";
  if (cell.place === "tail") return "behind the end";
  const text = cell.text.trim() || (cell.text.includes("\n") ? "line break" : "space");
  const said = cell.marks.map((mark) => SAID[mark]);
  return [
    isOpen(cell) ? `maybe ${text}` : text,
    `${Math.round(100 * cell.confidence)} percent`,
    ...said,
  ].join(", ");
}
