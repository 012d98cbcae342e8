/** What a training run would see of its data, as text. */
import { number, percent } from "./numbers.js";
import { type Column, renderTable } from "./table.js";

/** Counts of a source's examples, as an `Inspection` has them. */
export interface PartLike {
  /** The source's name. */
  readonly name: string;
  /** Examples in it. */
  readonly examples: number;
  /** Examples that become windows. */
  readonly kept: number;
  /** Examples that are left out. */
  readonly dropped: number;
  /** Examples that are cut. */
  readonly truncated: number;
  /** Those that are longer than the window. */
  readonly longerThanWindow: number;
  /** Those whose prompts alone are too long. */
  readonly promptTooLong: number;
  /** Tokens of prompts. */
  readonly promptTokens: number;
  /** Tokens of answers. */
  readonly answerTokens: number;
  /** Tokens of tails. */
  readonly tailTokens: number;
  /** Special tokens that messages write out. */
  readonly specialTokens: number;
  /** Mask tokens in the answers' text. */
  readonly maskTokens: number;
}

/** Quantiles of lengths, as an `Inspection` has them. */
export interface LengthsLike {
  /** Their mean. */
  readonly mean: number;
  /** The shortest. */
  readonly least: number;
  /** The 5th percentile. */
  readonly p5: number;
  /** The 25th percentile. */
  readonly p25: number;
  /** The 50th percentile. */
  readonly median: number;
  /** The 75th percentile. */
  readonly p75: number;
  /** The 95th percentile. */
  readonly p95: number;
  /** The 99th percentile. */
  readonly p99: number;
  /** The longest. */
  readonly most: number;
}

/** A piece of a shown example. */
export interface SegmentLike {
  /** Where it stands. */
  readonly part: "prompt" | "answer" | "tail";
  /** As it is, hidden, or as other tokens. */
  readonly shown: "clean" | "masked" | "changed";
  /** How many tokens it has. */
  readonly tokens: number;
  /** Its text. */
  readonly text: string;
  /** The text that stands in its place. */
  readonly shownText: string;
}

/** What `base.inspect` returns, as far as it is written. */
export interface InspectionLike {
  /** All examples. */
  readonly whole: PartLike;
  /** Those of each source. */
  readonly sources: readonly PartLike[];
  /** Of prompt and answer. */
  readonly windowLengths: LengthsLike;
  /** Of prompts. */
  readonly promptLengths: LengthsLike;
  /** Of answers. */
  readonly answerLengths: LengthsLike;
  /** Sums over the noised examples. */
  readonly noise: {
    /** How many they are. */
    readonly examples: number;
    /** Tokens that noise may change. */
    readonly openTokens: number;
    /** Tokens that it changed. */
    readonly corruptedTokens: number;
    /** Tokens that it masked. */
    readonly maskedTokens: number;
    /** Examples that it left as they are. */
    readonly untouched: number;
    /** Supervised tokens of prompts. */
    readonly supervisedPromptTokens: number;
    /** Supervised tokens of answers. */
    readonly supervisedAnswerTokens: number;
    /** Supervised tokens of tails. */
    readonly supervisedTailTokens: number;
    /** Answers that end in their windows. */
    readonly ends: number;
    /** Those whose end is supervised. */
    readonly supervisedEnds: number;
  };
  /** Examples as training shows them. */
  readonly shown: readonly {
    /** The row. */
    readonly row: number;
    /** The source's name. */
    readonly source: string;
    /** The window's pieces. */
    readonly segments: readonly SegmentLike[];
  }[];
  /** What ends an answer. */
  readonly endToken: string;
}

/**
 * An inspection as text: what becomes of the examples, their lengths, what is supervised, and the shown examples.
 *
 * @param options - `columns`: the most characters in a line of its tables. Default: any number.
 */
export function inspectionText(
  inspection: InspectionLike,
  {
    columns = Number.POSITIVE_INFINITY,
  }: {
    /** The width that tables keep to, in characters. Default: as wide as they are. */
    columns?: number;
  } = {},
): string {
  const { whole, sources, shown } = inspection;
  return [
    fate(whole),
    lengths(inspection, columns),
    ...(sources.length > 0 ? [renderTable(PARTS, sources, columns)] : []),
    [composition(whole), ...supervision(inspection), ...oddities(whole)].join("\n"),
    ...(shown.length > 0 ? [`${LEGEND}\n\n${shown.map(exampleText).join("\n\n")}`] : []),
  ].join("\n\n");
}

const PARTS: readonly Column<PartLike>[] = [
  { header: "source", cell: ({ name }) => name || "(none)", align: "left" },
  { header: "examples", cell: ({ examples }) => number(examples) },
  { header: "kept", cell: ({ kept }) => number(kept) },
  { header: "dropped", cell: ({ dropped }) => number(dropped) },
  { header: "truncated", cell: ({ truncated }) => number(truncated) },
  { header: "prompt tokens", cell: ({ promptTokens }) => number(promptTokens) },
  { header: "answer tokens", cell: ({ answerTokens }) => number(answerTokens) },
  { header: "tail tokens", cell: ({ tailTokens }) => number(tailTokens) },
];

const LENGTHS: readonly Column<{ name: string; of: LengthsLike }>[] = [
  { header: "tokens", cell: ({ name }) => name, align: "left" },
  { header: "mean", cell: ({ of }) => number(of.mean) },
  { header: "least", cell: ({ of }) => number(of.least) },
  { header: "5 %", cell: ({ of }) => number(of.p5) },
  { header: "25 %", cell: ({ of }) => number(of.p25) },
  { header: "median", cell: ({ of }) => number(of.median) },
  { header: "75 %", cell: ({ of }) => number(of.p75) },
  { header: "95 %", cell: ({ of }) => number(of.p95) },
  { header: "99 %", cell: ({ of }) => number(of.p99) },
  { header: "most", cell: ({ of }) => number(of.most) },
];

function fate(whole: PartLike): string {
  const { examples, kept, dropped, truncated, longerThanWindow, promptTooLong } = whole;
  const reasons = `(${number(longerThanWindow)} longer than the window, ${number(promptTooLong)} with too long a prompt)`;
  const left = dropped + truncated === 0 ? "" : ` ${reasons}`;
  return (
    `${number(examples)} examples: ${number(kept)} become windows, ${number(truncated)} of them cut; ` +
    `${number(dropped)} are dropped${left}.`
  );
}

function lengths({ windowLengths, promptLengths, answerLengths }: InspectionLike, columns: number): string {
  const rows = [
    { name: "prompt and answer", of: windowLengths },
    { name: "prompt", of: promptLengths },
    { name: "answer", of: answerLengths },
  ];
  return renderTable(LENGTHS, rows, columns);
}

function composition({ promptTokens, answerTokens, tailTokens }: PartLike): string {
  const all = promptTokens + answerTokens + tailTokens;
  const [prompt, answer, tail] = [promptTokens, answerTokens, tailTokens].map((part) => percent(part / all));
  return `The windows are ${prompt} prompt, ${answer} answer and ${tail} tail.`;
}

function supervision({ noise, endToken }: InspectionLike): string[] {
  const each = (sum: number) => number(sum / noise.examples, 1);
  const { supervisedPromptTokens, supervisedAnswerTokens, supervisedTailTokens, ends, supervisedEnds } =
    noise;
  const supervised = supervisedPromptTokens + supervisedAnswerTokens + supervisedTailTokens;
  return [
    `Noise, over ${number(noise.examples)} examples: of ${each(noise.openTokens)} open tokens an example ` +
      `${each(noise.corruptedTokens)} are corrupted, ${each(noise.maskedTokens)} of them masked; ` +
      `${percent(noise.untouched / noise.examples)} of the examples are untouched.`,
    `Supervised: ${each(supervised)} tokens an example, ${each(supervisedPromptTokens)} of the prompt, ` +
      `${each(supervisedAnswerTokens)} of the answer, ${each(supervisedTailTokens)} of the tail.`,
    supervisedEnds + supervisedTailTokens === 0
      ? `Nothing teaches where an answer stops: neither its end (${endToken}) nor a tail is supervised.`
      : `The end of an answer (${endToken}) is supervised in ${number(supervisedEnds)} of ${number(ends)} examples that have it.`,
  ];
}

/** What may not be meant: special tokens and masks in the text. */
function oddities({ specialTokens, maskTokens }: PartLike): string[] {
  const found: [number, string][] = [
    [specialTokens, "special tokens that messages write out"],
    [maskTokens, "mask tokens in the answers' own text"],
  ];
  return found.flatMap(([count, what]) =>
    count === 0 ? [] : [`The windows have ${number(count)} ${what}.`],
  );
}

const LEGEND =
  "Examples as they are shown: ⟦mask ×3 ← text⟧ hidden tokens and what they hide, ⟦shown ← text⟧ corrupted ones and what they were, " +
  "│ where the answer begins, ⟨tail ×9⟩.";

function exampleText({ row, source, segments }: InspectionLike["shown"][number]): string {
  const answer = segments.findIndex(({ part }) => part !== "prompt");
  const pieces = segments.map((segment, i) => `${i === answer ? "│" : ""}${pieceText(segment)}`);
  return `row ${row}${source === "" ? "" : ` of ${source}`}\n${pieces.join("")}`;
}

function pieceText({ part, shown, tokens, text, shownText }: SegmentLike): string {
  const clean = part === "tail" ? `⟨tail ×${tokens}⟩` : text;
  if (shown === "clean") return clean;
  const instead = shown === "masked" ? `mask ×${tokens}` : shownText;
  return `⟦${inLine(instead)} ← ${inLine(clean)}⟧`;
}

/** Without the line breaks that would tear a piece apart. */
function inLine(text: string): string {
  return text.replaceAll("\n", "↵");
}
