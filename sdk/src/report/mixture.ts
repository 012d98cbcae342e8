/** What a mixture is made of, as text. */
import { number, percent } from "./numbers.js";
import { type Column, renderTable } from "./table.js";

/** What became of a mixture's sources, as `base.mix` reports it. */
export interface MixtureReportLike {
  /** Examples in the mixture. */
  readonly examples: number;
  /** The source that ended it; empty: none. */
  readonly endedBy: string;
  /** The sources. */
  readonly sources: readonly {
    /** The name. */
    readonly name: string;
    /** Of 1. */
    readonly share: number;
    /** Examples in the source. */
    readonly read: number;
    /** Beyond its limits. */
    readonly tooLong: number;
    /** In the benchmarks. */
    readonly contaminated: number;
    /** There already. */
    readonly duplicates: number;
    /** Similar to others. */
    readonly nearDuplicates: number;
    /** Left. */
    readonly kept: number;
    /** In the mixture. */
    readonly used: number;
    /** In it again. */
    readonly repeated: number;
  }[];
}

/** What became of each source of a mixture, as a table. */
export function mixtureText({ examples, endedBy, sources }: MixtureReportLike): string {
  const whole = `${number(examples)} examples${endedBy === "" ? "" : `, ended by ${endedBy}, which is used up`}.`;
  return `${whole}\n\n${renderTable(SOURCES, sources)}`;
}

const SOURCES: readonly Column<MixtureReportLike["sources"][number]>[] = [
  { header: "source", cell: ({ name }) => name, align: "left" },
  { header: "share", cell: ({ share }) => percent(share) },
  { header: "read", cell: ({ read }) => number(read) },
  { header: "too long", cell: ({ tooLong }) => number(tooLong) },
  { header: "in benchmarks", cell: ({ contaminated }) => number(contaminated) },
  { header: "duplicates", cell: ({ duplicates }) => number(duplicates) },
  { header: "near", cell: ({ nearDuplicates }) => number(nearDuplicates) },
  { header: "kept", cell: ({ kept }) => number(kept) },
  { header: "used", cell: ({ used }) => number(used) },
  { header: "repeated", cell: ({ repeated }) => number(repeated) },
];
