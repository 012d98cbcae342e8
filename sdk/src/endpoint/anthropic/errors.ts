/** Refusals as Anthropic's clients read them. */
import { type Refusal, refusalOf } from "../../http/refusal.js";
import { asFields } from "../asking/field-names.js";
import type { SentEvent } from "../event-stream.js";

const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  503: "overloaded_error",
  504: "timeout_error",
};

export function anthropicError({ status, message }: Refusal): object {
  return {
    type: "error",
    error: { type: TYPES[status] ?? "invalid_request_error", message: asFields(message) },
  };
}

/** An error in the middle of a stream. */
export function anthropicFailure(error: unknown): SentEvent {
  return { event: "error", data: anthropicError(refusalOf(error)) };
}
