import { newcombe, wilson } from "../../evaluation/statistics/wilson.js";
import { comparedPolicy, policyName, type QuestionSet } from "../pieces.js";
import type { Variant } from "../setting.js";
import { type Claim, finding, type Range } from "./claim.js";
import { rightOf } from "./figures.js";

/** How far below its base an adapter may stay and still be near it: ten points. */
const NEAR = 0.1;

const EXPECTED: Readonly<Record<QuestionSet, { readonly words: string; readonly range: Range }>> = {
  easy: { words: "is at most ten points below its base on easy questions", range: { above: -NEAR } },
  arithmetic: { words: "is below its base on arithmetic word problems", range: { below: 0 } },
};

/** Accuracy is near the autoregressive base's on easy tasks, and below it on arithmetic word problems. */
export const accuracy: Claim = {
  id: "b",
  title: "Accuracy is near the autoregressive base on easy tasks, and below it on arithmetic word problems",
  source: "the paper",
  judge: (measured, setting) =>
    setting.bases.flatMap((base) =>
      (["easy", "arithmetic"] as const).flatMap((set) => {
        const variant = setting.grid.findLast((each) => each.base === base) as Variant;
        const policy = comparedPolicy(setting, variant);
        const adapted = measured.of({ kind: "answers", variant, set, policy });
        const itself = measured.of({ kind: "base", base, set });
        if (adapted === undefined || itself === undefined) return [];
        const { words, range } = EXPECTED[set];
        const figure = newcombe(rightOf(adapted), rightOf(itself));
        return [
          finding(`${variant.name} ${words}`, figure, "share of right answers more than the base", range),
        ];
      }),
    ),
  show: (section, measured, setting) => {
    const rows = setting.bases.flatMap((base) =>
      (["easy", "arithmetic"] as const).flatMap((set) => {
        const variant = setting.grid.findLast((each) => each.base === base) as Variant;
        const policy = comparedPolicy(setting, variant);
        const adapted = measured.of({ kind: "answers", variant, set, policy });
        const itself = measured.of({ kind: "base", base, set });
        return adapted === undefined || itself === undefined
          ? []
          : [{ variant, set, policy, adapted, itself }];
      }),
    );
    section.table({
      title: "Right answers of the adapters and of their autoregressive bases, to the same questions",
      columns: [
        { header: "adapter", value: ({ variant }) => variant.name },
        { header: "questions", value: ({ set }) => set },
        { header: "policy", value: ({ policy }) => policyName(policy) },
        { header: "adapter right", form: "percent", value: ({ adapted }) => wilson(rightOf(adapted)) },
        { header: "base right", form: "percent", value: ({ itself }) => wilson(rightOf(itself)) },
      ],
      rows,
    });
  },
};
