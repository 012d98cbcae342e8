/** A measure's figure of a set of answers, and of the difference between two, each with its interval. */
import type { BootstrapOptions } from "../../options/evaluation/bootstrap.js";
import { bootstrap, paired } from "../statistics/bootstrap.js";
import type { Estimate } from "../statistics/estimate.js";
import { jackknife, pairedJackknife } from "../statistics/jackknife.js";
import { newcombe, wilson } from "../statistics/wilson.js";
import type { Answered, Measure } from "./measure.js";

/** The figure of the answers that count. */
export function estimated<Item>(
  measure: Measure<Item>,
  answered: readonly Answered[],
  options: BootstrapOptions,
): Estimate {
  const items = answered.flatMap((each) => {
    const item = measure.item(each);
    return item === undefined ? [] : [item];
  });
  if (measure.interval === "wilson") return wilson(items.map(Boolean));
  const figure = (some: readonly Item[]) => measure.figure(some);
  if (measure.interval === "jackknife") return jackknife(items, figure, measure.range);
  return bootstrap(items, figure, options);
}

/** The figure of the first answers minus that of the second ones, which answer the same questions in the same order. */
export function differing<Item>(
  measure: Measure<Item>,
  first: readonly Answered[],
  second: readonly Answered[],
  options: BootstrapOptions,
): Estimate {
  const [ones, others] = [first, second].map((all) => all.map((each) => measure.item(each)));
  const counting = (ones ?? []).flatMap((one, i) => {
    const other = others?.[i];
    const isCounted = measure.interval === "wilson" ? both(one, other) : (one ?? other);
    return isCounted === undefined ? [] : [[one, other] as const];
  });
  const [left, right] = [counting.map(([one]) => one), counting.map(([, other]) => other)];
  if (measure.interval === "wilson") return newcombe(left.map(Boolean), right.map(Boolean));
  const figure = (some: readonly (Item | undefined)[]) =>
    measure.figure(some.filter((item) => item !== undefined));
  if (measure.interval === "jackknife") return pairedJackknife(left, right, figure, measure.range);
  return paired(left, right, figure, options);
}

function both<Item>(one: Item | undefined, other: Item | undefined): Item | undefined {
  return one === undefined ? undefined : other;
}
