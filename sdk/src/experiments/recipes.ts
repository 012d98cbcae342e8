/** Settings that are known to work, in one place: the method's own, and what was found best for the small bases. */
import { invalidOption } from "../errors.js";
import type { Noise } from "../method/noise.js";
import { cover, lad } from "../method/noises/registered.js";
import {
  type AdapterOptions,
  adamw,
  type BaseOptions,
  type LossInput,
  muon,
  type SampleOptions,
  type TrainingOptions,
} from "../options.js";

/** How to train and sample adapters on some base. */
export interface Recipe {
  /** What is special about it, for whoever reads its figures. */
  readonly about: string;
  /** Options of `runtime.loadBase`. */
  readonly base: Pick<BaseOptions, "chatTemplate">;
  /** Options of `base.createAdapter`, without the rank. */
  readonly adapter: Pick<AdapterOptions, "targets">;
  /** Options of `adapter.train`, without the data. */
  readonly training: Omit<TrainingOptions, "data" | "validation"> & {
    /** How answers are corrupted. */
    readonly noise: Noise;
    /** Which tokens are supervised, with what weight. */
    readonly loss: LossInput;
    /** Optimizer steps. */
    readonly steps: number;
    /** Length of the window in tokens. */
    readonly windowTokens: number;
  };
  /** Options of `adapter.sample`: positions that hold the longest answer with its EOS. */
  readonly answerTokens: number;
  /** Options of `adapter.sample` in mode `remask`. */
  readonly remask: Pick<SampleOptions, "positions" | "noiseStart" | "sharpness" | "schedule">;
}

/** ChatML as SmolLM2 writes it, but for the system message that its own template puts before a chat without one: 20 tokens. */
const CHAT_WITHOUT_SYSTEM_MESSAGE = [
  "{% for message in messages %}",
  "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}",
  "{% endfor %}",
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
].join("");

/** The recipes that there are. */
export interface Recipes {
  /** The method's own noise, loss and optimizer, by which published figures were made. */
  readonly lad: Recipe;
  /** For the base that comes with this package. */
  readonly tiny: Recipe;
  /** For a short run on SmolLM2. */
  readonly "smollm2-135m": Recipe;
  /** For random weights. */
  readonly stub: Recipe;
}

/** Settings that are known to work, by the base that they are for. */
export const recipes: Recipes = {
  /** The method's own noise, loss and optimizer (docs/method.md §3 to §5), by which published figures were made. */
  lad: {
    about: "the method's own settings: LoRA on q and v, lad noise, AdamW 1e-5",
    base: {},
    adapter: { targets: ["q_proj", "v_proj"] },
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
  /**
   * Muon finds in a minute what AdamW needs many for, `o_proj` halves the steps, small batches take more of them, and `cover`
   * noise knows the almost empty canvases that sampling starts from.
   */
  tiny: {
    about: "settings that work best on tiny: LoRA on q, v and o, cover noise, Muon 2e-2",
    base: {},
    adapter: { targets: ["q_proj", "v_proj", "o_proj"] },
    training: {
      noise: cover(),
      optimizer: muon(),
      learningRate: 2e-2,
      warmupSteps: 20,
      decay: "linear",
      windowTokens: 60,
      loss: "all-answer-tokens",
      batchSize: 8,
      steps: 1000,
    },
    answerTokens: 32,
    remask: {},
  },
  /**
   * 150,000 tokens. In so few Muon and small batches come further than AdamW and large ones, as on `tiny`, and all projections
   * further than some; without a system message twice as many chats fit the window.
   */
  "smollm2-135m": {
    about: "settings for a short run on SmolLM2: LoRA everywhere, lad noise, Muon 1e-2, no system message",
    base: { chatTemplate: CHAT_WITHOUT_SYSTEM_MESSAGE },
    adapter: { targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] },
    training: {
      noise: lad(),
      optimizer: muon(),
      learningRate: 1e-2,
      warmupSteps: 10,
      decay: "linear",
      windowTokens: 96,
      maxPromptTokens: 72,
      loss: "all-answer-tokens",
      batchSize: 8,
      steps: 195,
    },
    answerTokens: 48,
    remask: {},
  },
  /** Random weights learn nothing; the window holds every question of `tiny` as bytes. */
  stub: {
    about: "random weights, for trying things out",
    base: {},
    adapter: { targets: ["q_proj", "v_proj"] },
    training: {
      noise: lad(),
      loss: "all-answer-tokens",
      learningRate: 1e-3,
      warmupSteps: 1,
      windowTokens: 256,
      steps: 4,
    },
    answerTokens: 16,
    remask: {},
  },
};

/**
 * The recipe of a base, or the method's own where it has none; `preset` takes the one of that name instead.
 *
 * @throws LadError `invalid-option` for a preset that does not exist
 */
export function recipeFor(base: string, preset?: string): Recipe {
  const name = preset ?? base;
  if (Object.hasOwn(recipes, name)) return recipes[name as keyof typeof recipes];
  if (preset === undefined) return recipes.lad;
  const known = Object.keys(recipes).join(", ");
  throw invalidOption("preset", preset, "there is no such recipe", `Give one of ${known}.`);
}
