/** What the demo's page and its server say to each other, as JSON. The page imports these types alone. */
import type {
  Answer,
  AnswerPiece,
  Frame,
  PolicyDescription,
  PolicyInput,
  RunStateName,
  SamplingState,
  TrainingEvent,
} from "../index.js";

/** Somebody who can be asked. */
export interface DemoModel {
  /** Names it in requests: `base`, `saved:capitals`, `run:…`, `step:…`, `checkpoint:…`. */
  readonly id: string;
  /** As it is shown. */
  readonly name: string;
  /**
   * What it is; `saved`: an adapter of the user's library; `run`: one that a run trains or has trained on this worker; `step`: what a run of
   * this demo had at a step.
   */
  readonly kind: "base" | "saved" | "run" | "step" | "checkpoint";
}

/** A question, and the right answer to it. */
export interface DemoExample {
  readonly question: string;
  readonly answer: string;
}

/** What the page has to know before anything is asked. */
export interface About {
  readonly version: string;
  /** Such as `cpu (AMD EPYC, 2 threads)`. */
  readonly device: string;
  readonly baseName: string;
  /** Whether the base alone denoises; else it writes from left to right. */
  readonly baseDenoises: boolean;
  readonly maskTokenId: number;
  readonly eosTokenId: number;
  readonly stopTokenIds: readonly number[];
  /** The base, then its adapters, the last saved first. */
  readonly models: readonly DemoModel[];
  readonly policies: readonly PolicyDescription[];
  /** Questions that the base knows, at least one. */
  readonly examples: readonly DemoExample[];
  /** How long answers are; undefined: what a prompt leaves of the adapter's windows. */
  readonly answerTokens: number | undefined;
  /** Optimizer steps of a training that is started here, by default; undefined where none can be. */
  readonly steps: number | undefined;
  /** Whether what a run has trained can be kept among the user's adapters. */
  readonly canKeep: boolean;
}

/** A text in tokens. */
export interface Tokens {
  readonly ids: readonly number[];
  /** Each token's own text. */
  readonly pieces: readonly string[];
}

/** What a lane asks. */
export interface SampleRequest {
  readonly model: string;
  readonly question: string;
  readonly policy: PolicyInput;
  readonly seed: number;
  readonly answerTokens?: number | undefined;
  readonly temperature?: number | undefined;
  /** A text to mend. */
  readonly draft?: string | undefined;
  /** The answer in pieces. */
  readonly answer?: readonly AnswerPiece[] | undefined;
  /** A state to go on from. */
  readonly from?: SamplingState | undefined;
  /** Where in its schedule a draft or an edited state begins. */
  readonly strength?: number | undefined;
}

/** One iteration, with what the page needs to show it. */
export interface ShownFrame extends Omit<Frame, "canvas" | "gaps"> {
  /** The texts of `answer`, token by token. */
  readonly pieces: readonly string[];
  /** Of self-speculation: the texts of the drafted tokens that do not stand. */
  readonly refused: readonly string[];
  /** Milliseconds since the run was asked for. */
  readonly ms: number;
}

/** The end of a lane's run. */
export interface ShownAnswer
  extends Pick<Answer, "type" | "text" | "iterations" | "stopped" | "speculation"> {
  /** Tokens of the answer. */
  readonly tokens: number;
  readonly ms: number;
}

/** Why a request was refused, or a stream broke off. */
export interface Problem {
  readonly type: "error";
  readonly code: string;
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** A line of a lane's stream. */
export type SampleLine = ShownFrame | ShownAnswer | Problem;

/** The corruptions of the noise lab, as the noise `fixed` names them. */
export type NoiseKind = "masked" | "swapped" | "duplicated" | "shifted";

/** From 0 to 1 each, as the noise `fixed` takes them. */
export type NoiseLevels = Readonly<Record<NoiseKind, number>>;

/** What the noise lab corrupts. */
export interface NoiseRequest extends NoiseLevels {
  readonly text: string;
  readonly seed: number;
  /** How many draws the distribution is of. */
  readonly draws: number;
}

/** A corrupted text, and what becomes of it over many draws. */
export interface NoiseReply {
  readonly clean: Tokens;
  /** The draw of the seed itself. */
  readonly drawn: Tokens & { readonly masked: readonly boolean[]; readonly corrupted: readonly boolean[] };
  /** Of each position, in how many of the draws it is corrupted: from 0 to 1. */
  readonly rates: readonly number[];
  /** The same of each kind by itself, where its level is above 0. */
  readonly kinds: { readonly [Kind in NoiseKind]?: readonly number[] };
  /** How many draws corrupt 0, 1, 2, … tokens. */
  readonly counts: readonly number[];
}

/** A training run. */
export interface ShownRun {
  readonly id: string;
  readonly state: RunStateName;
  readonly checkpoint: string;
  readonly steps: number;
  readonly totalSteps: number;
  /** When it was started, in ISO 8601. */
  readonly created: string;
  /** Who answers as it is now trained; undefined where its adapter is gone. */
  readonly model: string | undefined;
}

/** What a training is started with. */
export interface TrainingRequest {
  readonly rank: number;
  readonly steps: number;
  readonly seed: number;
}

/** What a run's adapter is kept as. */
export interface KeepRequest {
  readonly name: string;
}

/** A line of a run's stream: an event that changes its curves or its state. */
export type RunLine = TrainingEvent | { readonly type: "interrupted" } | Problem;
