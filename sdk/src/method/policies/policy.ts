/** The definition of a sampling policy, and the options that several policies share. */
import type { z } from "zod";
import { flag, integer } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";
import { meant } from "../../checks/meaning.js";
import { invalidOption } from "../../errors.js";
import type { AnswerState, IterationPrediction, PolicyStep } from "../answer-state.js";
import { type Builder, Definitions } from "../kinds.js";
import type { TrainingContext } from "../random-split.js";

/** A policy with all of its options. */
export interface AnyPolicy {
  readonly kind: string;
}

/** The call that a policy is used in. */
export interface PolicyUse {
  /** Whether the call samples an adapter or a snapshot, not the base. */
  readonly adapted: boolean;
  /** Undefined, like `canvasTokens`: it is not known yet. */
  readonly answerTokens: number | undefined;
  /** The positions of the largest canvas of an answer. */
  readonly canvasTokens: number | undefined;
  /** The attention mode; undefined: that of the adapter's training. */
  readonly attention: string | undefined;
}

/** How a policy denoises. */
export interface DenoisingDefinition<Policy extends AnyPolicy> {
  /** The largest number of forwards for a canvas of `tokens` positions. */
  forwards(policy: Policy, tokens: number): number;
  /** The scale of classifier-free guidance of its forwards. Default: 0, no guidance. */
  guidance?(policy: Policy): number;
  /** Whether a token that stands in the canvas may still change; if not, those that it begins with are as pinned. Default: true. */
  readonly changesVisible?: boolean;
  /** Whether the token of a position that is kept is final. Default: false. */
  keepsForGood?(policy: Policy): boolean;
  /** Whether its iterations mask less and less again, so that a draft's `strength` is a place among them. Default: false. */
  readonly isScheduled?: boolean;
  /** The temperature of an iteration's draws. Default: the one that was asked for. */
  temperature?(policy: Policy, iteration: number): number | undefined;
  /** The answer after a forward. */
  step(state: AnswerState, prediction: IterationPrediction, policy: Policy): PolicyStep;
}

/** One kind of policy. */
export interface PolicyDefinition<Policy extends AnyPolicy = AnyPolicy> {
  readonly kind: Policy["kind"];
  /** The schema of its options. */
  readonly options: z.ZodObject<z.ZodRawShape, z.core.$strict>;
  /** The default of the option `drawMethod`. */
  readonly drawMethod: "inverse-cdf" | "gumbel";
  /** Undefined for a policy that writes from left to right. */
  readonly denoising?: DenoisingDefinition<Policy>;
  /** The options of the call that it does not use. Default: none. */
  readonly unused?: readonly string[];
  /**
   * The policy with what it left to the context that the adapter was trained in, undefined if that is not known, where it is sampled in
   * this attention mode. Default: as it is.
   */
  settle?(policy: Policy, trained: TrainingContext | undefined, attention: string): Policy;
  /** @throws LadError `invalid-option` if the call cannot use the policy */
  check?(policy: Policy, use: PolicyUse): void;
  /** The options that have no effect because of other options, with the reason. */
  ignored?(policy: Policy): Readonly<Record<string, string>>;
}

const definitions = new Definitions<PolicyDefinition>();

/** Registers the definition of the policies that `build` makes. */
export function definePolicy<Policy extends AnyPolicy>(
  build: (options?: never) => Policy,
  definition: PolicyDefinition<NoInfer<Policy>>,
): void {
  definitions.set(build, definition as unknown as PolicyDefinition);
}

export function definitionOf(build: Builder): PolicyDefinition {
  return definitions.of(build);
}

/** The remedy for a misplaced option of some policy; undefined if no policy has the option. */
export function ownersOfOption(key: string, value: unknown): string | undefined {
  const owners = [...definitions].filter(([, { options }]) => Object.hasOwn(options.shape, key));
  if (owners.length === 0) return undefined;
  const calls = owners.map(([build]) => `${build.name}({ ${key}: ${JSON.stringify(value) ?? "…"} })`);
  return `It is an option of the policy: policy: ${calls.join(" or ")}.`;
}

/** What a policy leaves to the call that it samples for. */
const OF_THE_CALL = ["temperature", "topK", "topP", "answerTokens", "attention", "canvasTokens", "messages"];

/** The remedy for an option inside a policy that is another one's or the call's. */
export function misplacedInPolicy(key: string, value: unknown): string | undefined {
  const option = meant(key, OF_THE_CALL);
  if (option === undefined) return ownersOfOption(key, value);
  return `It stands beside the policy: sample({ policy, ${option} }).`;
}

/** The options of the policies that sample the whole answer in each iteration. */
export interface SettlingOptions {
  /** The largest number of forwards for each canvas: an integer of at least 1. Default: 32. */
  iterations?: number | undefined;
  /** Stop when three consecutive iterations sample the same answer. Default: true. */
  earlyStop?: boolean | undefined;
  /**
   * Begin with so many MASKs and append as many per iteration, an integer from 0 to 1,048,576. Default: 0, all from the start.
   */
  growTokens?: number | undefined;
}

export const iterations = integer(1).default(32);

export const settlingFields = fieldsOf<SettlingOptions>()(
  {
    iterations,
    earlyStop: flag().default(true),
    growTokens: integer(0, 2 ** 20).default(0),
  },
  misplacedInPolicy,
);

/** @throws LadError `invalid-option` if an answer of several canvases is to grow */
export function checkGrowth(
  { growTokens }: { readonly growTokens: number },
  { answerTokens, canvasTokens }: PolicyUse,
): void {
  if (growTokens === 0 || canvasTokens === undefined || canvasTokens === answerTokens) return;
  throw invalidOption(
    "policy.growTokens",
    growTokens,
    `an answer that goes canvas by canvas (canvasTokens ${canvasTokens}) has canvases of fixed size`,
    "Leave out growTokens or canvasTokens.",
  );
}
