import type { Estimate } from "../../evaluation/statistics/estimate.js";
import { newcombe } from "../../evaluation/statistics/wilson.js";
import type { Measured } from "../measured.js";
import { benchmarksOf, comparedPolicy, policyName, QUESTION_SETS, type QuestionSet } from "../pieces.js";
import { highestOf, type Setting, type Variant } from "../setting.js";
import { type Claim, finding, type Range } from "./claim.js";
import { rightOf } from "./figures.js";
import { showShares } from "./shares.js";

/** How far below its base an adapter may stay and still be near it: ten points. */
const NEAR = 0.1;

const EXPECTED: Readonly<Record<QuestionSet, { readonly words: string; readonly range: Range }>> = {
  easy: { words: "is at most ten points below its base on", range: { above: -NEAR } },
  arithmetic: { words: "is below its base on", range: { below: 0 } },
};

/** The names of the sets in sentences. */
const QUESTIONS: Readonly<Record<QuestionSet, string>> = {
  easy: "easy questions",
  arithmetic: "arithmetic word problems",
};

/** Accuracy is near the autoregressive base's on easy tasks, and below it on arithmetic word problems. */
export const accuracy: Claim = {
  id: "b",
  title: "Accuracy is near the autoregressive base on easy tasks, and below it on arithmetic word problems",
  source: "the paper",
  judge: (measured, setting) =>
    comparisonsOf(measured, setting).map(({ variant, set, questions, adapted, itself }) => {
      const { words, range } = EXPECTED[set];
      const figure: Estimate = newcombe(adapted, itself);
      const claim = `${variant.name} ${words} ${questions}`;
      return finding(claim, figure, "share of right answers more than the base", range);
    }),
  show: (section, measured, setting) => {
    showShares(section, {
      rows: comparisonsOf(measured, setting),
      sides: [
        {
          header: "adapter right",
          name: "the adapter of the highest rank",
          right: ({ adapted }) => adapted,
        },
        { header: "base right", name: "its base by itself", right: ({ itself }) => itself },
      ],
      table: {
        title: "Right answers of the adapters and of their autoregressive bases, to the same questions",
        columns: [
          { header: "adapter", value: ({ variant }) => variant.name },
          { header: "questions", value: ({ questions }) => questions },
          { header: "policy", value: ({ variant }) => policyName(comparedPolicy(setting, variant)) },
        ],
      },
      chart: {
        title: "Right answers",
        x: { label: "base and questions", of: ({ variant, questions }) => `${variant.base}, ${questions}` },
        y: "right",
      },
    });
  },
};

/** A variant and its base, asked the same questions. */
interface Comparison {
  readonly variant: Variant;
  readonly set: QuestionSet;
  readonly questions: string;
  readonly adapted: readonly boolean[];
  readonly itself: readonly boolean[];
}

function comparisonsOf(measured: Measured, setting: Setting): Comparison[] {
  return setting.bases.flatMap((base) => {
    const variant = highestOf(setting, base);
    const asked = QUESTION_SETS.flatMap((set): Comparison[] => {
      const policy = comparedPolicy(setting, variant);
      const adapted = measured.of({ kind: "answers", variant, set, policy });
      const itself = measured.of({ kind: "base", base, set });
      if (adapted === undefined || itself === undefined) return [];
      const questions = QUESTIONS[set];
      return [{ variant, set, questions, adapted: rightOf(adapted), itself: rightOf(itself) }];
    });
    const benchmarks = benchmarksOf(setting, variant).flatMap((piece): Comparison[] => {
      const found = measured.of(piece);
      if (found === undefined) return [];
      const { adapted, itself, by } = found;
      const questions = `${piece.benchmark.kind} by ${by}`;
      return [{ variant, set: piece.set, questions, adapted, itself }];
    });
    return [...asked, ...benchmarks];
  });
}
