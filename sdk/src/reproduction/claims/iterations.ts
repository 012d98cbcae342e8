import { lineChart } from "../../report/parts/chart.js";
import { type AnswersPiece, byIterations } from "../pieces.js";
import { type Claim, finding } from "./claim.js";
import {
  distinct2,
  distinct2Difference,
  exponential,
  logPerplexity,
  logPerplexityDifference,
} from "./figures.js";

/** How far distinct-2 may move and still stay. */
const STAYS = 0.05;

/** Perplexity falls with iterations while distinct-2 stays. */
export const iterations: Claim = {
  id: "c",
  title: "Perplexity falls with iterations while distinct-2 stays",
  source: "the paper",
  judge: (measured, setting) => {
    const pieces = byIterations(setting, setting.watched);
    return (["refine", "remask"] as const).flatMap((kind) => {
      const own = pieces.filter(({ policy }) => policy.kind === kind);
      const [fewest, most] = [own[0], own.at(-1)] as [AnswersPiece, AnswersPiece];
      const [first, last] = [measured.of(fewest), measured.of(most)];
      if (first === undefined || last === undefined || fewest === most) return [];
      const counts = `from ${setting.iterations[0]} to ${setting.iterations.at(-1)} iterations`;
      return [
        finding(
          `Under ${kind}, perplexity falls ${counts}`,
          logPerplexityDifference(first, last),
          "nats a token less",
          { above: 0 },
        ),
        finding(
          `Under ${kind}, distinct-2 stays within ${STAYS} ${counts}`,
          distinct2Difference(last, first),
          "distinct-2 more",
          { above: -STAYS, below: STAYS },
        ),
      ];
    });
  },
  show: (section, measured, setting) => {
    const drawn = (["refine", "remask"] as const).map((kind) => ({
      name: kind,
      answers: byIterations(setting, setting.watched).flatMap((piece) => {
        const answers = piece.policy.kind === kind ? measured.of(piece) : undefined;
        return answers === undefined || !("iterations" in piece.policy)
          ? []
          : [{ x: piece.policy.iterations, answers }];
      }),
    }));
    const x = { label: "iterations", scale: "log" } as const;
    section.plot(
      lineChart({
        title: `Perplexity of the answers of ${setting.watched.name}`,
        about: "Under the causal base without the adapter, given the questions.",
        x,
        y: { label: "perplexity", scale: "log" },
        series: drawn.map(({ name, answers }) => ({
          name,
          points: answers.map(({ x, answers }) => ({ x, y: exponential(logPerplexity(answers)) })),
        })),
      }),
    );
    section.plot(
      lineChart({
        title: "distinct-2 of the same answers",
        x,
        y: { label: "distinct-2" },
        series: drawn.map(({ name, answers }) => ({
          name,
          points: answers.map(({ x, answers }) => ({ x, y: distinct2(answers) })),
        })),
      }),
    );
  },
};
