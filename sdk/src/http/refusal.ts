/** A request that a local server does not answer: its status, and why. */
import { isLadError, type LadErrorCode } from "../errors.js";

/** The statuses that local servers refuse with. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 429 | 500 | 503 | 504;

/** What a refusal has beside its status and text. */
export interface RefusalDetails {
  /** The field of the request, as its sender wrote it. */
  readonly field?: string | undefined;
  /** Milliseconds after which the same request may succeed. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** Thrown by routes and guards; the server's `onError` gives it the shape that its clients read. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: RefusalStatus;
  /** A word that does not change: a {@link LadErrorCode}, or one of the guards' own. */
  readonly code: string;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(status: RefusalStatus, code: string, message: string, details: RefusalDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.status = status;
    this.code = code;
    this.field = details.field;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** An error of any kind as a refusal. Those that are no `LadError` tell strangers nothing of their text. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (!isLadError(error)) {
    return new Refusal(500, "internal", "The server failed. Its log says how.", { cause: error });
  }
  return new Refusal(STATUS[error.code] ?? 500, error.code, error.message, {
    field: error.option,
    retryAfterMs: error.retryAfterMs,
    cause: error,
  });
}

/** Of errors that say something about the request, or about when to come again; all others are 500. */
const STATUS: Partial<Record<LadErrorCode, RefusalStatus>> = {
  "invalid-option": 400,
  "invalid-data": 400,
  "unsupported-model": 400,
  "not-found": 404,
  "already-exists": 409,
  "invalid-state": 409,
  busy: 429,
  cancelled: 503,
  "out-of-memory": 503,
  unavailable: 503,
  "worker-died": 503,
  timeout: 504,
};
