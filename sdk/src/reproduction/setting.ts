/** What a reproduction trains and measures, worked out of its options: plain values, the same for the same options. */
import { type Recipe, recipeFor } from "../experiments/recipes.js";
import type { Noise } from "../method/noise.js";
import { cover, lad, maskOnly } from "../method/noises/registered.js";
import type { CheckedReproduction } from "./options.js";

/** How a variant's answers are corrupted in training. */
export type VariantNoise = "lad" | "mask-only" | "better";

/** One adapter: a base, a rank, a noise. All are trained on the same examples for as many steps. */
export interface Variant {
  readonly name: string;
  readonly base: string;
  readonly rank: number;
  readonly noise: VariantNoise;
}

/** The variants of a reproduction, and which of them its claims look at. */
export interface Setting extends CheckedReproduction {
  /** Every base with every rank, under the method's own noise: the paper's six variants, where there are three bases and two ranks. */
  readonly grid: readonly Variant[];
  /** The variant whose answers are watched from iteration to iteration: the middle base, the highest rank. */
  readonly watched: Variant;
  /** The watched one's twin under masks alone. */
  readonly maskOnly: Variant;
  /** The watched one's twin under what works best. */
  readonly better: Variant;
}

export function settingOf(options: CheckedReproduction): Setting {
  const { bases, ranks } = options;
  const middle = bases[Math.floor(bases.length / 2)] as string;
  const highest = ranks.at(-1) as number;
  const twin = (noise: VariantNoise) => variant(middle, highest, noise);
  return {
    ...options,
    grid: bases.flatMap((base) => ranks.map((rank) => variant(base, rank, "lad"))),
    watched: twin("lad"),
    maskOnly: twin("mask-only"),
    better: twin("better"),
  };
}

/** Every variant that is trained, each once. */
export function variantsOf({ grid, maskOnly, better }: Setting): readonly Variant[] {
  return [...grid, maskOnly, better];
}

/** The variant of a base that is compared with it: the method's own noise, the highest rank. */
export function highestOf({ grid }: Setting, base: string): Variant {
  return grid.findLast((variant) => variant.base === base) as Variant;
}

/** The recipe that a base's variants follow, but for their noise. */
export function recipeOf({ preset }: Setting, base: string): Recipe {
  return recipeFor(base, preset);
}

/** What of every base's recipe the results depend on. */
export function recipesOf(setting: Setting): Readonly<Record<string, Omit<Recipe, "about" | "base">>> {
  return Object.fromEntries(
    setting.bases.map((base) => {
      const { about: _, base: __, ...recipe } = recipeOf(setting, base);
      return [base, recipe];
    }),
  );
}

/** What of the options of loading the results depend on; no secret. */
export function loadingOf({ load }: Setting) {
  if (load === undefined) return undefined;
  const { hubToken: _, onProgress: __, signal: ___, timeoutMs: ____, ...facts } = load;
  return facts;
}

/** The noise that a variant is trained with. A recipe that has the method's own is bettered by the one that is best on the small bases. */
export function noiseOf(setting: Setting, { base, noise }: Variant): Noise {
  const own = { lad: lad(), "mask-only": maskOnly() };
  if (noise !== "better") return own[noise];
  const { noise: best } = recipeOf(setting, base).training;
  return best.kind === "lad" ? cover() : best;
}

function variant(base: string, rank: number, noise: VariantNoise): Variant {
  const suffix = noise === "lad" ? "" : ` ${noise}`;
  return { name: `${base} rank ${rank}${suffix}`, base, rank, noise };
}
