import { newcombe, wilson } from "../../evaluation/statistics/wilson.js";
import { frontierChart, lineChart } from "../../report/parts/chart.js";
import { allPolicies, comparedPolicy, policyName } from "../pieces.js";
import { type Claim, finding } from "./claim.js";
import { ce, ceDifference, forwards, rightOf } from "./figures.js";

/** From which masked share of an answer on a canvas counts as mostly masked. */
const MOSTLY_MASKED = 0.75;

/** What works best beats the method's own noise at the same compute. */
export const better: Claim = {
  id: "g",
  title: "What works best beats the method's own noise at the same compute",
  source: "this project",
  judge: (measured, setting) => {
    const [lad, best] = [setting.watched, setting.better];
    const [before = [], after = []] = [lad, best].map(
      (variant) => measured.of({ kind: "losses", variant })?.masked,
    );
    const losses = before.flatMap((first) => {
      const second = after.find(({ share }) => share === first.share);
      if (second === undefined || first.share < MOSTLY_MASKED) return [];
      const claim = `Its CE is lower where ${Math.round(100 * first.share)} % of an answer are masked`;
      return [finding(claim, ceDifference(first, second), "nats a masked token less", { above: 0 })];
    });
    const policy = comparedPolicy(setting, lad);
    const [plain, improved] = [lad, best].map((variant) =>
      measured.of({ kind: "answers", variant, set: "easy", policy }),
    );
    if (plain === undefined || improved === undefined) return losses;
    const figure = newcombe(rightOf(improved), rightOf(plain));
    const claim = "It gives more right answers from nothing but masks";
    return [...losses, finding(claim, figure, "share of right answers more", { above: 0 })];
  },
  show: (section, measured, setting) => {
    const variants = [setting.watched, setting.maskOnly, setting.better];
    section.plot(
      lineChart({
        title: "CE against the masked share of an answer",
        x: { label: "masked share", form: "percent" },
        y: { label: "CE", unit: "nats a masked token" },
        series: variants.flatMap((variant) => {
          const masked = measured.of({ kind: "losses", variant })?.masked ?? [];
          const points = masked.map((losses) => ({ x: losses.share, y: ce(losses) }));
          return points.length === 0 ? [] : [{ name: variant.name, points }];
        }),
      }),
    );
    section.plot(
      frontierChart({
        title: `Right answers against forwards, every policy that writes what ${setting.better.name} finds`,
        x: { label: "forwards an answer", scale: "log" },
        y: { label: "right answers", form: "percent" },
        points: allPolicies(setting, setting.better).flatMap((policy) => {
          if (policy.kind === "speculative") return []; // the base's own answers: a figure of speed, which claim f has
          const answers = measured.of({ kind: "answers", variant: setting.better, set: "easy", policy });
          if (answers === undefined) return [];
          const { value: x } = forwards(answers);
          return [{ label: policyName(policy), series: policy.kind, x, y: wilson(rightOf(answers)) }];
        }),
      }),
    );
  },
};
