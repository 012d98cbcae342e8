import { wilson } from "../../evaluation/statistics/wilson.js";
import { lineChart } from "../../report/parts/chart.js";
import { byIterations, policyName } from "../pieces.js";
import { type Claim, finding } from "./claim.js";
import {
  exponential,
  forwards,
  forwardsDifference,
  logPerplexity,
  logPerplexityDifference,
  rightOf,
} from "./figures.js";

/** Iterations that both samplers take at least, since an answer counts as stable once it was sampled three times in a row. */
const SETTLED = 4;

/** `refine` is faster and less polished than `remask`. */
export const refineOrRemask: Claim = {
  id: "d",
  title: "Self-refining is faster and less polished than re-masking",
  source: "the paper",
  judge: (measured, setting) => {
    const pieces = byIterations(setting, setting.watched);
    return setting.iterations
      .filter((count) => count > SETTLED)
      .flatMap((count) => {
        const answers = (kind: string) => {
          const piece = pieces.find(
            ({ policy }) => policy.kind === kind && "iterations" in policy && policy.iterations === count,
          );
          return piece && measured.of(piece);
        };
        const [refined, remasked] = [answers("refine"), answers("remask")];
        if (refined === undefined || remasked === undefined) return [];
        return [
          finding(
            `With ${count} iterations at most, refine takes fewer forwards than remask`,
            forwardsDifference(remasked, refined),
            "forwards an answer less",
            { above: 0 },
          ),
          finding(
            `With ${count} iterations at most, refine has the higher perplexity`,
            logPerplexityDifference(refined, remasked),
            "nats a token more",
            { above: 0 },
          ),
        ];
      });
  },
  show: (section, measured, setting) => {
    const rows = byIterations(setting, setting.watched).flatMap((piece) => {
      const answers = measured.of(piece);
      return answers === undefined ? [] : [{ piece, answers }];
    });
    section.table({
      title: `Both samplers of ${setting.watched.name}`,
      about: "A sampler stops once it has sampled the same answer three times in a row.",
      columns: [
        { header: "policy, iterations at most", value: ({ piece }) => policyName(piece.policy) },
        { header: "forwards an answer", value: ({ answers }) => forwards(answers) },
        { header: "all answers", unit: "seconds", value: ({ answers }) => answers.seconds },
        { header: "perplexity", value: ({ answers }) => exponential(logPerplexity(answers)) },
        { header: "right", form: "percent", value: ({ answers }) => wilson(rightOf(answers)) },
      ],
      rows,
    });
    section.plot(
      lineChart({
        title: "Perplexity against forwards",
        about:
          "Down and to the left is better: fewer forwards, and a text that the causal base finds likelier.",
        x: { label: "forwards an answer", scale: "log" },
        y: { label: "perplexity", scale: "log" },
        series: (["refine", "remask"] as const).map((name) => ({
          name,
          points: rows
            .filter(({ piece }) => piece.policy.kind === name)
            .map(({ answers }) => ({ x: forwards(answers).value, y: exponential(logPerplexity(answers)) })),
        })),
      }),
    );
  },
};
