/** What OpenAI's APIs tell beside the answers. */
import { randomUUID } from "node:crypto";
import type { Finished, ShownFrame } from "../asking/answering.js";
import type { Begun } from "../desk.js";

/** Tokens, and the forwards that they took. */
export function usageOf(begun: Begun, answers: readonly Finished[]) {
  const completion = answers.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    prompt_tokens: begun.promptTokens,
    completion_tokens: completion,
    total_tokens: begun.promptTokens + completion,
    forwards: answers.reduce((sum, { forwards }) => sum + forwards, 0),
  };
}

/** Why an answer is done. */
export function finishReason({ stopped }: Finished): "stop" | "length" {
  return stopped === "length" ? "length" : "stop";
}

/** What every object of a reply begins with. */
export function headOf(prefix: string, object: string, model: string, begun: Begun) {
  return {
    id: `${prefix}-${randomUUID()}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: begun.revision,
    lad: { policy: begun.policy, seed: begun.seed },
  };
}

/** The extension that holds an iteration, in a chunk without choices. */
export function frameChunk(head: object, frame: ShownFrame): object {
  return { ...head, choices: [], lad: { frame } };
}
