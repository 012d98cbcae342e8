import * as pb from "../gen/lad/v1/data.js";
import type { PreparedExample } from "../method/prepared-example.js";
import type { ChatMessage, WindowSpec } from "../options.js";
import type { MixtureReport, WindowReport } from "../results/data.js";
import { counted, inJson } from "./bigints.js";
import { numberOf } from "./enums.js";

export function toWindow(window: WindowSpec): pb.WindowSpec {
  return {
    window: window.windowTokens,
    padToWindow: window.padToWindow,
    tooLong: numberOf(pb.TooLong, window.tooLong),
    maxPromptTokens: window.maxPromptTokens,
    supervise: numberOf(pb.SuperviseTurns, window.superviseTurns),
    allowSpecial: window.allowSpecial,
    padTokens: [...window.padTokens],
  };
}

export function fromWindowReport(report: pb.WindowReport): WindowReport {
  return counted(report);
}

export function fromMixtureReport({ sources, ...report }: pb.MixtureReport): MixtureReport {
  return { ...counted(report), sources: sources.map(counted) };
}

export function fromPrepared(example: pb.PreparedExample): PreparedExample {
  return inJson(example);
}

export function toMessages(messages: readonly ChatMessage[]): pb.Message[] {
  return messages.map(({ role, content }) => ({ role, content }));
}

export function toTokenIds(ids: Iterable<number>): pb.TokenIds {
  return { ids: [...ids] };
}
