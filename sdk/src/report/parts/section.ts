import { invalidOption } from "../../errors.js";
import type { Chart } from "./chart.js";
import type { ReportValue } from "./figure.js";
import { type ReportTable, type TablePart, tablePart } from "./table.js";
import type { Trace, TracePart } from "./trace.js";
import type { Verdict, VerdictPart } from "./verdict.js";

/** Paragraphs. */
export interface TextPart {
  readonly kind: "text";
  readonly paragraphs: readonly string[];
}

/** Names with their values. */
export interface FactsPart {
  readonly kind: "facts";
  readonly facts: readonly (readonly [name: string, value: ReportValue])[];
}

/** A long text that is folded until it is asked for. */
export interface FoldPart {
  readonly kind: "fold";
  readonly title: string;
  readonly text: string;
}

/** One part of a section. */
export type Part = TextPart | FactsPart | FoldPart | TablePart | Chart | VerdictPart | TracePart;

/** One section of a report: its parts stand in the order in which they were added. */
export class ReportSection {
  /** Its heading. */
  readonly title: string;
  /**
   * Its parts, in order.
   *
   * @internal
   */
  readonly parts: Part[] = [];

  /** @internal */
  constructor(title: string) {
    this.title = title;
  }

  /** Adds paragraphs of plain text. */
  text(...paragraphs: string[]): this {
    return this.#add({ kind: "text", paragraphs });
  }

  /** Adds names with their values, such as the number of parameters. */
  facts(facts: Readonly<Record<string, ReportValue>>): this {
    return this.#add({ kind: "facts", facts: Object.entries(facts) });
  }

  /** Adds a table. Its columns can be sorted, and it can be copied as CSV. */
  table<Row>(table: ReportTable<Row>): this {
    if (table.columns.length === 0) {
      throw invalidOption("columns", table.columns, "there is no column", "Give at least one.");
    }
    return this.#add(tablePart(table));
  }

  /** Adds a chart: `lineChart(…)` or `frontierChart(…)`. Its figures stand below it as a table. */
  plot(chart: Chart): this {
    return this.#add(chart);
  }

  /** Adds a claim with what the figures say of it. All verdicts stand at the report's beginning as well. */
  verdict(verdict: Verdict): this {
    return this.#add({ kind: "verdict", ...verdict });
  }

  /** Adds an answer's way from the first iteration to the last, to be played: `await traceOf(…)`. */
  trace(trace: Trace): this {
    if (trace.frames.length === 0) {
      throw invalidOption("frames", trace.frames, "there is no frame", "Give those of a sampler, in order.");
    }
    return this.#add({ kind: "trace", ...trace });
  }

  /** Adds a long text, such as a file or an answer, folded until it is asked for. */
  fold(title: string, text: string): this {
    return this.#add({ kind: "fold", title, text });
  }

  #add(part: Part): this {
    this.parts.push(part);
    return this;
  }
}
