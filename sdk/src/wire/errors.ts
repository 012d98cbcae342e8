import { LadError, type LadErrorCode, messageAlone } from "../errors.js";
import { ErrorDetail } from "../gen/lad/v1/worker.js";

/** The trailing metadata key of the worker's ErrorDetail. */
export const ERROR_KEY = "lad-error-bin";

/** The error of a failed call or run from the worker's ErrorDetail. Codes that this client does not know become `internal`. */
export function fromErrorDetail(detail: ErrorDetail, cause?: unknown): LadError {
  return new LadError(knownCode(detail.code), detail.message, {
    option: detail.option,
    value: detail.value,
    remedy: detail.remedy,
    retryAfterMs: detail.retryAfterMs,
    cause,
  });
}

/** An error as an ErrorDetail, for a worker in this process. */
export function toErrorDetail(error: LadError): ErrorDetail {
  const { code, option = "", value = "", remedy = "", retryAfterMs = 0 } = error;
  return { code, message: messageAlone(error), option, value, remedy, retryAfterMs };
}

/** The ErrorDetail in a failed call's trailing metadata, or undefined if there is none or it cannot be read. */
export function decodeErrorDetail(bytes: Uint8Array | undefined): ErrorDetail | undefined {
  if (bytes === undefined) return undefined;
  try {
    const detail = ErrorDetail.decode(bytes);
    return detail.code === "" ? undefined : detail;
  } catch {
    return undefined;
  }
}

const KNOWN: ReadonlySet<string> = new Set<LadErrorCode>([
  "invalid-option",
  "not-found",
  "already-exists",
  "invalid-state",
  "invalid-data",
  "invalid-file",
  "unsupported-model",
  "access-denied",
  "unauthenticated",
  "version-mismatch",
  "out-of-memory",
  "storage",
  "cancelled",
  "diverged",
  "busy",
  "unavailable",
  "internal",
]);

function knownCode(code: string): LadErrorCode {
  return KNOWN.has(code) ? (code as LadErrorCode) : "internal";
}
