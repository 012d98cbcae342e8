/** Settings that are known to work, in one place: the method's own, and what was found best for the small bases. */
import {
  adamw,
  cover,
  type LossInput,
  lad,
  muon,
  type Noise,
  type SampleOptions,
  type TrainingOptions,
} from "./options.js";

/** How to train and sample adapters on some base. */
export interface Recipe {
  /** What is special about it, for whoever reads its figures. */
  readonly about: string;
  /** Options of `adapter.train`, without the data. */
  readonly training: Omit<TrainingOptions, "data" | "validation"> & {
    readonly noise: Noise;
    readonly loss: LossInput;
    readonly steps: number;
    readonly windowTokens: number;
  };
  /** Options of `adapter.sample`: positions that hold the longest answer with its EOS. */
  readonly answerTokens: number;
  /** Options of `adapter.sample` in mode `remask`. */
  readonly remask: Pick<SampleOptions, "positions" | "noiseStart" | "sharpness" | "schedule">;
}

export const recipes = {
  /** The method's own noise, loss and optimizer (METHOD's sections 3 to 5), by which published figures were made. */
  lad: {
    about: "the method's own settings: lad noise, AdamW 1e-5",
    training: {
      noise: lad(),
      loss: "all-tokens",
      optimizer: adamw(),
      learningRate: 1e-5,
      windowTokens: 256,
      steps: 1000,
    },
    answerTokens: 128,
    remask: {},
  },
  /** Muon finds in a minute what AdamW needs many for; `cover` noise knows the almost empty canvases that sampling starts from. */
  tiny: {
    about: "settings that work best on tiny: Muon 2e-2, cover noise",
    training: {
      noise: cover(),
      optimizer: muon(),
      learningRate: 2e-2,
      warmupSteps: 20,
      decay: "linear",
      windowTokens: 42,
      loss: "all-answer-tokens",
      batchSize: 16,
      steps: 500,
    },
    answerTokens: 22,
    remask: {},
  },
  /** 150,000 tokens; prompts are kept short so that most of the window is answer. */
  "smollm2-135m": {
    about: "settings for a short run on SmolLM2: lad noise, AdamW 5e-4, answer tokens only",
    training: {
      noise: lad(),
      optimizer: adamw(),
      learningRate: 5e-4,
      warmupSteps: 10,
      windowTokens: 96,
      maxPromptTokens: 72,
      loss: "all-answer-tokens",
      batchSize: 16,
      steps: 98,
    },
    answerTokens: 48,
    remask: {},
  },
  /** Random weights learn nothing; the window holds most of `tiny`'s questions as bytes. */
  stub: {
    about: "random weights, for trying things out",
    training: {
      noise: lad(),
      loss: "all-answer-tokens",
      learningRate: 1e-3,
      warmupSteps: 1,
      windowTokens: 160,
      steps: 4,
    },
    answerTokens: 16,
    remask: {},
  },
} as const satisfies Record<string, Recipe>;

/** The recipe of a base, or the method's own where it has none. */
export function recipeFor(base: string): Recipe {
  return Object.hasOwn(recipes, base) ? recipes[base as keyof typeof recipes] : recipes.lad;
}
