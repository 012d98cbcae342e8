/** What is changed of a way to train, one thing at a time: the arms of the ablations. */
import {
  type AdapterOptions,
  adamw,
  lad,
  maskOnly,
  ownDraft,
  type Recipe,
  recipes,
  type TrainingOptions,
} from "../../sdk/src/index.js";

/** One way to train. All arms take as many steps over examples of the same length. */
export interface Arm {
  readonly name: string;
  readonly adapter: Omit<AdapterOptions, "seed" | "signal">;
  readonly training: Recipe["training"];
  /** The end of the training in another way: the share of the steps, and what differs. */
  readonly last?: { readonly share: number; readonly training: Partial<TrainingOptions> } | undefined;
  /** Whether it learns what the base itself answers, in place of the labels. */
  readonly ownAnswers?: boolean | undefined;
}

const RANK = 64;
const best = recipes.tiny;
const ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
const OPEN = { supervise: "corrupted-answer-tokens", weighting: "inverse-time" } as const;
const SHORT_TAIL = { supervise: "all-answer-tokens", tailWeight: 0.1 } as const;

/** The method's own settings, and with a rate that this few steps need. */
const METHOD: readonly Arm[] = [
  arm(
    "lad, as published",
    {},
    { ...recipes.lad.training, windowTokens: 60, warmupSteps: 20 },
    recipes.lad.adapter,
  ),
  arm(
    "lad, AdamW 1e-3",
    { ...method(), optimizer: adamw(), learningRate: 1e-3 },
    undefined,
    recipes.lad.adapter,
  ),
  arm(
    "lad, AdamW 3e-3",
    { ...method(), optimizer: adamw(), learningRate: 3e-3 },
    undefined,
    recipes.lad.adapter,
  ),
  arm("lad, Muon 2e-2", method(), undefined, recipes.lad.adapter),
];

/** What is changed of the settings that work best on `tiny`. */
const CHANGES: readonly Arm[] = [
  arm("best: cover, Muon 2e-2, q v o", {}),
  arm("lad noise", { noise: lad() }),
  arm("mask-only noise", { noise: maskOnly() }),
  arm("mask-only noise, 1/t", { noise: maskOnly(), loss: OPEN }),
  arm("AdamW 3e-3", { optimizer: adamw(), learningRate: 3e-3 }),
  arm("Muon 1e-2", { learningRate: 1e-2 }),
  arm("Muon 4e-2", { learningRate: 4e-2 }),
  arm("q v", {}, undefined, { targets: ["q_proj", "v_proj"] }),
  arm("all projections", {}, undefined, { targets: ALL }),
  arm("rsLoRA", {}, undefined, { useRslora: true }),
  arm("tail weight 0.1", { loss: SHORT_TAIL }),
  arm("no tail", { loss: { supervise: "all-answer-tokens", tail: false } }),
  arm("rainbow tail", { padTokens: ["<|user|>", "<|assistant|>", "<|system|>"] }),
  arm("corrupted tokens alone", { loss: "corrupted-answer-tokens" }),
  arm("prefix attention", { attention: "prefix" }),
  arm("causal-prefix attention", { attention: "causal-prefix" }),
  arm("soft targets", { loss: { supervise: "all-answer-tokens", soft: {} } }),
  { ...arm("the base's own answers", {}), ownAnswers: true },
  ...[0.3, 0.5].map((share) => endingInDrafts(`own drafts for the last ${100 * share} %`, share, {})),
  endingInDrafts("causal-prefix attention, own drafts for the last 40 %", 0.4, {
    attention: "causal-prefix",
  }),
  endingInDrafts("prefix attention, own drafts for the last 40 %", 0.4, { attention: "prefix" }),
  arm("together: prefix, tail weight 0.1", { attention: "prefix", loss: SHORT_TAIL }),
  arm("together: prefix, tail weight 0.1, mask-only, own drafts for the last 40 %", recipes.better.training),
  arm("together: prefix, tail weight 0.1, cover, own drafts for the last 40 %", {
    ...recipes.better.training,
    noise: ownDraft({ noise: "cover", after: 0.6 }),
  }),
];

/** Every arm. */
export const ARMS: readonly Arm[] = [...METHOD, ...CHANGES];

function method(): Partial<TrainingOptions> {
  return { noise: lad(), loss: "all-tokens" };
}

/** Begins as the best one does, with changes, and ends with drafts of its own. */
function endingInDrafts(name: string, share: number, changes: Partial<TrainingOptions>): Arm {
  const training = { noise: ownDraft({ noise: "cover" }), learningRate: 1e-2 };
  return { ...arm(name, changes), last: { share, training } };
}

function arm(
  name: string,
  changes: Partial<TrainingOptions>,
  training: Recipe["training"] = best.training,
  adapter: Partial<AdapterOptions> = {},
): Arm {
  return {
    name,
    adapter: { ...best.adapter, ...adapter, rank: RANK },
    training: { ...training, ...changes } as Recipe["training"],
  };
}
