import type * as pb from "../gen/lad/v1/data.js";
import type { PreparedExample } from "../method/prepared-example.js";
import type { ChatMessage, WindowSpec } from "../options.js";
import { SUPERVISE_TURNS, TOO_LONG } from "./names.js";
import { toNumber } from "./tensors.js";

/** What became of a data set's examples; nothing is dropped or cut without being counted here. */
export interface WindowReport {
  /** Examples in the data set. */
  readonly examples: number;
  /** Examples that became windows, truncated ones included. */
  readonly kept: number;
  /** Examples that did not fit and were left out. */
  readonly dropped: number;
  /** Examples that did not fit and were cut. */
  readonly truncated: number;
  /** Tokens of the prompts, over all windows. */
  readonly promptTokens: number;
  /** The token that ends an answer included, the tail not. */
  readonly answerTokens: number;
  /** Tokens of padding behind the answers, over all windows. */
  readonly tailTokens: number;
  /** Special tokens that messages write out, taken as text (or as themselves, with `allowSpecial`). */
  readonly specialTokens: number;
  /** Mask tokens in the answers' own text, where the mask is ordinary text. */
  readonly maskTokens: number;
  /** What each answer ends with, and its tail is made of. */
  readonly endToken: string;
  /** The same as an id. */
  readonly endTokenId: number;
}

export function toWindow(window: WindowSpec): pb.WindowSpec {
  return {
    window: window.windowTokens,
    padToWindow: window.padToWindow,
    tooLong: TOO_LONG[window.tooLong],
    maxPromptTokens: window.maxPromptTokens,
    supervise: SUPERVISE_TURNS[window.superviseTurns],
    allowSpecial: window.allowSpecial,
  };
}

export function fromWindowReport(report: pb.WindowReport): WindowReport {
  return {
    examples: toNumber(report.examples),
    kept: toNumber(report.kept),
    dropped: toNumber(report.dropped),
    truncated: toNumber(report.truncated),
    promptTokens: toNumber(report.promptTokens),
    answerTokens: toNumber(report.answerTokens),
    tailTokens: toNumber(report.tailTokens),
    specialTokens: toNumber(report.specialTokens),
    maskTokens: toNumber(report.maskTokens),
    endToken: report.endToken,
    endTokenId: report.endTokenId,
  };
}

export function fromPrepared(example: pb.PreparedExample): PreparedExample {
  return example;
}

export function toMessages(messages: readonly ChatMessage[]): pb.Message[] {
  return messages.map(({ role, content }) => ({ role, content }));
}

export function toTokenIds(ids: Iterable<number>): pb.TokenIds {
  return { ids: [...ids] };
}
