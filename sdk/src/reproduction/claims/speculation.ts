import { wilson } from "../../evaluation/statistics/wilson.js";
import { speculative } from "../../method/policies/registered.js";
import type { Answers } from "../measured.js";
import { type Claim, finding } from "./claim.js";
import { rightOf, tokensPerForward } from "./figures.js";

/** `speculative` gives the base's own answers in a fraction of the forwards. */
export const speculation: Claim = {
  id: "f",
  title: "Self-speculation gives the base's own answers in a fraction of the forwards",
  source: "this project",
  judge: (measured, { better }) =>
    (["easy", "arithmetic"] as const).flatMap((set) => {
      const drafted = measured.of({ kind: "answers", variant: better, set, policy: speculative() });
      const own = measured.of({ kind: "base", base: better.base, set });
      if (drafted === undefined || own === undefined) return [];
      const same = wilson(sameAnswers(drafted, own));
      return [
        {
          claim: `Every answer to the ${set} questions is the base's own, token for token`,
          figure: same,
          unit: "share of the answers",
          holds: same.value === 1,
        },
        finding(
          `A forward gives more than one token of an answer to the ${set} questions`,
          tokensPerForward(drafted),
          "tokens a forward, 1 for the base by itself",
          { above: 1 },
        ),
      ];
    }),
  show: (section, measured, { better }) => {
    const rows = (["easy", "arithmetic"] as const).flatMap((set) => {
      const drafted = measured.of({ kind: "answers", variant: better, set, policy: speculative() });
      const own = measured.of({ kind: "base", base: better.base, set });
      return drafted === undefined || own === undefined ? [] : [{ set, drafted, own }];
    });
    section.table({
      title: `What ${better.name} drafts, its base checks`,
      columns: [
        { header: "questions", value: ({ set }) => set },
        { header: "tokens a forward", value: ({ drafted }) => tokensPerForward(drafted) },
        { header: "the base by itself", value: ({ own }) => tokensPerForward(own) },
        { header: "all answers", unit: "seconds", value: ({ drafted }) => drafted.seconds },
        { header: "the base by itself", unit: "seconds", value: ({ own }) => own.seconds },
        { header: "right", form: "percent", value: ({ drafted }) => wilson(rightOf(drafted)) },
      ],
      rows,
    });
  },
};

/** Whether each answer is the base's, as far as both windows go. */
function sameAnswers(drafted: Answers, own: Answers): boolean[] {
  return drafted.items.map(({ ids }, i) => {
    const base = own.items[i]?.ids ?? [];
    const length = Math.min(ids.length, base.length);
    return Array.from({ length }).every((_, at) => ids[at] === base[at]);
  });
}
