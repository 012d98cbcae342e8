import type { ReportOptions } from "./about.js";
import type { Part, ReportSection } from "./section.js";
import type { VerdictPart } from "./verdict.js";

/** What a report is written from. */
export interface ReportContent {
  readonly options: ReportOptions;
  readonly sections: readonly ReportSection[];
}

/** A part by its numbers, from 1: the section's, and its own within the section. */
export interface Placed<Kind extends Part = Part> {
  readonly part: Kind;
  readonly section: ReportSection;
  /** Such as `s2-p1`. */
  readonly id: string;
}

/** Every part of a report, in order. */
export function placedParts({ sections }: ReportContent): Placed[] {
  return sections.flatMap((section, at) =>
    section.parts.map((part, index) => ({ part, section, id: `${sectionId(at)}-p${index + 1}` })),
  );
}

/** Every verdict of a report, in order. */
export function placedVerdicts(content: ReportContent): Placed<VerdictPart>[] {
  return placedParts(content).flatMap((placed) =>
    placed.part.kind === "verdict" ? [{ ...placed, part: placed.part }] : [],
  );
}

/** Of the section at an index from 0: `s1`. */
export function sectionId(index: number): string {
  return `s${index + 1}`;
}
