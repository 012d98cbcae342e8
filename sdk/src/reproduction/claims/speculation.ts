import { wilson } from "../../evaluation/statistics/wilson.js";
import { speculative } from "../../method/policies/registered.js";
import { lineChart } from "../../report/parts/chart.js";
import type { Answers } from "../measured.js";
import { type Claim, finding } from "./claim.js";
import { tokensPerForward } from "./figures.js";

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
      ],
      rows,
    });
    section.plot(
      lineChart({
        title: "Tokens a forward",
        x: { label: "questions", scale: "category" },
        y: { label: "tokens a forward" },
        series: [
          {
            name: "speculative",
            points: rows.map((row) => ({ x: row.set, y: tokensPerForward(row.drafted) })),
          },
          {
            name: "the base by itself",
            points: rows.map((row) => ({ x: row.set, y: tokensPerForward(row.own) })),
          },
        ],
      }),
    );
  },
};

/** Whether each answer is the base's; one that its window cut off, as far as it goes. */
export function sameAnswers(drafted: Answers, own: Answers): boolean[] {
  return drafted.items.map((one, i) => {
    const other = own.items[i];
    if (other === undefined) return false;
    const [shorter, longer] = one.ids.length <= other.ids.length ? [one, other] : [other, one];
    const isCut = shorter.tokens === shorter.ids.length;
    return (
      (isCut || shorter.ids.length === longer.ids.length) &&
      shorter.ids.every((id, at) => id === longer.ids[at])
    );
  });
}
