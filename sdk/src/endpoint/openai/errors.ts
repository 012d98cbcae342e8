/** Refusals as OpenAI's clients read them. */
import { type Refusal, refusalOf } from "../../http/refusal.js";
import { asFields } from "../asking/field-names.js";
import type { SentEvent } from "../event-stream.js";

/** The word for a status, by which people know OpenAI's errors; clients go by the status. */
const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
  500: "server_error",
  503: "server_error",
  504: "server_error",
};

const CODES: Readonly<Record<string, string>> = {
  unauthenticated: "invalid_api_key",
  busy: "rate_limit_exceeded",
};

export function openAIError({ status, code, message, field }: Refusal): object {
  const named = code === "not-found" && field === "model" ? "model_not_found" : (CODES[code] ?? code);
  return {
    error: {
      message: asFields(message),
      type: TYPES[status] ?? "invalid_request_error",
      param: field === undefined ? null : asFields(field),
      code: named,
    },
  };
}

/** An error in the middle of a stream. */
export function openAIFailure(error: unknown): SentEvent {
  return { data: openAIError(refusalOf(error)) };
}
