/** Settings that are known to work: the method's own, and the best ones found for the small bases. */
import { guessOf } from "../checks/nearest.js";
import { invalidOption } from "../errors.js";
import type { Noise } from "../method/noise.js";
import { cover, lad, ownDraft } from "../method/noises/registered.js";
import type { RemaskOptions } from "../method/policies/registered.js";
import {
  type AdapterOptions,
  adamw,
  type BaseOptions,
  type LossInput,
  muon,
  type TrainingOptions,
} from "../options.js";

/** How to train and sample adapters on a base. */
export interface Recipe {
  /** What is special about the recipe, as a note for readers of its figures. */
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
  /** Options of `adapter.sample`: how long answers are, if they do not fill the windows of the training. */
  readonly answerTokens?: number | undefined;
  /** Options of the policy `remask`. */
  readonly remask: Pick<RemaskOptions, "positions" | "noiseStart" | "sharpness" | "schedule">;
}

/** SmolLM2's ChatML, without the default system message (20 tokens) that its own template puts before a chat without one. */
const CHAT_WITHOUT_SYSTEM_MESSAGE = [
  "{% for message in messages %}",
  "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}",
  "{% endfor %}",
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
].join("");

const ALL_PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/**
 * Muon reaches in one minute what takes AdamW many. Targeting `o_proj` too halves the number of steps. Small batches allow more
 * steps. `cover` noise includes the almost empty canvases with which sampling starts.
 */
const tiny: Recipe = {
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
  remask: {},
};

/**
 * A prompt that attends to itself alone, masks as the only noise, and a tail that counts a tenth lower the loss under masks; drafts of its
 * own, once it can answer at all, teach it to mend what it wrote. The figures of each stand in docs/experiments.md.
 */
const better: Recipe = {
  ...tiny,
  about:
    "what won the ablations on tiny: prefix attention, masks, a tail that counts a tenth, own drafts for the last 40 % of the steps",
  training: {
    ...tiny.training,
    noise: ownDraft({ noise: "mask-only", after: 0.6 }),
    attention: "prefix",
    loss: { supervise: "all-answer-tokens", tailWeight: 0.1 },
  },
};

/** All recipes. */
export interface Recipes {
  /** The method's own noise, loss and optimizer, with which the published figures were made. */
  readonly lad: Recipe;
  /** What won over it in the ablations on `tiny`, at as many steps. */
  readonly better: Recipe;
  /** For the base that comes with this package. */
  readonly tiny: Recipe;
  /** The same, for its smaller sister. */
  readonly "tiny-0.7m": Recipe;
  /** The same, for its larger sister. */
  readonly "tiny-5m": Recipe;
  /** For a short run on SmolLM2. */
  readonly "smollm2-135m": Recipe;
  /** For tens of millions of tokens on SmolLM2, on a GPU. */
  readonly "smollm2-135m-long": Recipe;
  /** For random weights. */
  readonly stub: Recipe;
}

/** Settings that are known to work, by the name of their base. */
export const recipes: Recipes = {
  /** The method's own noise, loss and optimizer (docs/method.md §3 to §5), with which the published figures were made. */
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
    remask: {},
  },
  better,
  tiny,
  "tiny-0.7m": tiny,
  "tiny-5m": tiny,
  /**
   * For 150,000 tokens. With so few, Muon and small batches get further than AdamW and large ones, as on `tiny`, and all projections
   * further than some of them. Without a system message, twice as many chats fit the window.
   */
  "smollm2-135m": {
    about: "settings for a short run on SmolLM2: LoRA everywhere, lad noise, Muon 1e-2, no system message",
    base: { chatTemplate: CHAT_WITHOUT_SYSTEM_MESSAGE },
    adapter: { targets: ALL_PROJECTIONS },
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
    remask: {},
  },
  /** One micro-batch is what a GPU needs to be busy: a model of this size waits for the host's launches in smaller ones. */
  "smollm2-135m-long": {
    about:
      "settings for a long run on SmolLM2: LoRA everywhere, cover noise, Muon 1e-2, batches of 128, no system message",
    base: { chatTemplate: CHAT_WITHOUT_SYSTEM_MESSAGE },
    adapter: { targets: ALL_PROJECTIONS },
    training: {
      noise: cover(),
      optimizer: muon(),
      learningRate: 1e-2,
      warmupSteps: 50,
      decay: "linear",
      windowTokens: 192,
      maxPromptTokens: 96,
      loss: { supervise: "all-answer-tokens", tailWeight: 0.1 },
      batchSize: 128,
      microBatchTokens: 12_288,
      steps: 2000,
    },
    answerTokens: 96,
    remask: {},
  },
  /** Random weights learn nothing. The window is long enough for every question of `tiny` as bytes. */
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
 * The recipe of a base, or the method's own if the base has none. `preset` chooses a recipe by its name instead.
 *
 * @throws LadError `invalid-option` for a preset that does not exist
 */
export function recipeFor(base: string, preset?: string): Recipe {
  const name = preset ?? base;
  if (Object.hasOwn(recipes, name)) return recipes[name as keyof typeof recipes];
  if (preset === undefined) return recipes.lad;
  const known = Object.keys(recipes);
  throw invalidOption(
    "preset",
    preset,
    "there is no such recipe",
    `${guessOf(preset, known)}Give one of ${known.join(", ")}.`,
  );
}
