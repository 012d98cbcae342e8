import type { FigureForm, MeasuredFigure } from "./figure.js";

/** A claim, and what the figures say of it. */
export interface Verdict {
  /** The claim as a sentence, such as `Higher ranks end at a lower CE.` */
  readonly claim: string;
  /** Whether it holds; undefined where the interval does not decide it. */
  readonly holds: boolean | undefined;
  /** The figure that decides. Default: none. */
  readonly figure?: MeasuredFigure | undefined;
  /** What the figure counts, such as `difference in nats`. Default: not told. */
  readonly of?: string | undefined;
  /** How the figure is written. Default: as it is. */
  readonly form?: FigureForm | undefined;
  /** Why, in a sentence. Default: nothing. */
  readonly because?: string | undefined;
}

/** A verdict as a part of a report. */
export interface VerdictPart extends Verdict {
  readonly kind: "verdict";
}

/** How a verdict is told: its word, its sign, and the name that a style has for it. */
export interface Ruling {
  readonly word: string;
  readonly sign: string;
  readonly name: "holds" | "fails" | "undecided";
}

const RULINGS = {
  holds: { word: "Holds", sign: "✓", name: "holds" },
  fails: { word: "Does not hold", sign: "✗", name: "fails" },
  undecided: { word: "Undecided", sign: "?", name: "undecided" },
} as const;

export function rulingOf({ holds }: Verdict): Ruling {
  if (holds === undefined) return RULINGS.undecided;
  return holds ? RULINGS.holds : RULINGS.fails;
}
