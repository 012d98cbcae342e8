import { lineChart } from "../../report/parts/chart.js";
import type { Measured } from "../measured.js";
import type { Variant } from "../setting.js";
import { type Claim, type Finding, finding } from "./claim.js";
import { ce, ceDifference } from "./figures.js";

/** Larger models and higher ranks end at a lower CE. */
export const lowerCe: Claim = {
  id: "a",
  title: "Larger models and higher ranks end at a lower cross-entropy",
  source: "the paper",
  judge: (measured, { grid, bases, ranks }) => {
    const at = (base: string, rank: number) =>
      grid.find((variant) => variant.base === base && variant.rank === rank) as Variant;
    const sizes = ranks.flatMap((rank) => neighbours(bases.map((base) => at(base, rank))));
    const higher = bases.flatMap((base) => neighbours(ranks.map((rank) => at(base, rank))));
    return [...sizes, ...higher].flatMap(([less, more]) => lower(measured, less, more));
  },
  show: (section, measured, setting) => {
    const trained = setting.grid.flatMap((variant) => {
      const training = measured.of({ kind: "train", variant });
      const losses = measured.of({ kind: "losses", variant });
      return training === undefined || losses === undefined
        ? []
        : [{ variant, training, ce: ce(losses.lad) }];
    });
    if (trained.length === 0) return;
    section.plot(
      lineChart({
        title: "Validation CE by base and rank",
        x: { label: "base", scale: "category" },
        y: { label: "CE", unit: "nats a corrupted token" },
        series: setting.ranks.map((rank) => ({
          name: `rank ${rank}`,
          points: trained
            .filter(({ variant }) => variant.rank === rank)
            .map(({ variant, ce: y }) => ({ x: variant.base, y })),
        })),
      }),
    );
    section.plot(
      lineChart({
        title: "Loss curves",
        about: "Each point is the mean over a hundredth of the steps.",
        x: { label: "step" },
        y: { label: "training CE", unit: "nats a corrupted token", scale: "log" },
        series: trained.map(({ variant, training }) => ({
          name: variant.name,
          points: training.curve.map(({ step, ce }) => ({ x: step, y: ce })),
        })),
      }),
    );
    section.table({
      title: "Variants",
      columns: [
        { header: "base", value: ({ variant }) => variant.base },
        { header: "rank", value: ({ variant }) => variant.rank },
        { header: "trained numbers", value: ({ training }) => training.trainableParameters },
        { header: "steps", value: ({ training }) => training.steps },
        { header: "training", form: "duration", value: ({ training }) => training.seconds },
        { header: "tokens/s", value: ({ training }) => training.tokensPerSecond },
        { header: "validation CE", unit: "nats", value: ({ ce }) => ce },
      ],
      rows: trained,
    });
  },
};

function lower(measured: Measured, less: Variant, more: Variant): Finding[] {
  const [first, second] = [less, more].map((variant) => measured.of({ kind: "losses", variant }));
  if (first === undefined || second === undefined) return [];
  const claim = `${more.name} has a lower CE than ${less.name}`;
  return [finding(claim, ceDifference(first.lad, second.lad), "nats a corrupted token less", { above: 0 })];
}

function neighbours<Item>(items: readonly Item[]): [Item, Item][] {
  return items.slice(1).map((item, i) => [items[i] as Item, item]);
}
