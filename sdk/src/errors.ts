/**
 * The error type of this package. Its codes never change between versions; its text names the option, the value and the remedy.
 */

/** The kind of an error. The worker reports those up to `busy`; this side adds the others. */
export type LadErrorCode =
  /** A value outside its range, of the wrong kind, or a name that does not exist. */
  | "invalid-option"
  /** A base, adapter, data set, run, checkpoint or file that does not exist. */
  | "not-found"
  /** A folder, file, run or checkpoint of that name, which nothing may be written over. */
  | "already-exists"
  /** The right call at the wrong time: a gap in sequence numbers, a busy adapter. */
  | "invalid-state"
  /** An example that cannot be read or does not fit. */
  | "invalid-data"
  /** A corrupt, unsafe or unsupported model file. */
  | "invalid-file"
  /** Readable, but not an architecture that the worker computes. */
  | "unsupported-model"
  /** A gated hub model without a token. */
  | "access-denied"
  /** A missing or wrong worker token. */
  | "unauthenticated"
  /** Client and worker speak different versions of the protocol. */
  | "version-mismatch"
  /** A request beyond the memory budget, or an allocation that the device refused. */
  | "out-of-memory"
  /** A full disk, a failed write. */
  | "storage"
  /** A call or run that was ended by its signal, its client, or another client's `cancel`. */
  | "cancelled"
  /** A loss or gradient that is no longer a number. */
  | "diverged"
  /** The worker is at its limit of work; `retryAfterMs` says when to try again. */
  | "busy"
  /** The worker cannot be reached, or is stopping; with an `option`: a hub or a package that it needs cannot be had. */
  | "unavailable"
  /** A mistake in lad itself: what should not happen, on either side. */
  | "internal"
  /** A worker that this process started ended before it answered. */
  | "worker-start-failed"
  /** The worker ended or lost its lease while it was in use. */
  | "worker-died"
  /** A call or a run took longer than its `timeoutMs`. */
  | "timeout"
  /** A state folder that another worker uses. */
  | "state-in-use"
  /** A TCP port that another program listens on. */
  | "port-in-use"
  /** The worker's Python environment has not been made yet, or lacks a package. */
  | "setup-required"
  /** No usable Python, no folder for the environment, or a package that could not be installed. */
  | "setup-failed"
  /** No container engine, or an image that could not be built or started. */
  | "container-failed";

/** The details of a {@link LadError} besides its code and message. */
export interface LadErrorDetails {
  /** The option as the caller wrote it, for instance `validation.everySteps`. */
  option?: string | undefined;
  /** What was given, as text, shortened to 120 characters. */
  value?: unknown;
  /** What to do about it: a full sentence. */
  remedy?: string | undefined;
  /** Milliseconds to wait before the next try, as the worker asks. */
  retryAfterMs?: number | undefined;
  /** The underlying error. */
  cause?: unknown;
}

/** The error of every failure in this package. `message` ends with the remedy, unless it says that already; `cause` is the underlying error. */
export class LadError extends Error {
  /** The class's name. */
  override readonly name: string = "LadError";
  /** The kind of the error, in a word that never changes between versions. */
  readonly code: LadErrorCode;
  /** The option as the caller wrote it, for instance `validation.everySteps`. */
  readonly option: string | undefined;
  /** What was given, as text, shortened to 120 characters. */
  readonly value: string | undefined;
  /** What to do about it: a full sentence. */
  readonly remedy: string | undefined;
  /** Milliseconds to wait before the next try, as the worker asks. */
  readonly retryAfterMs: number | undefined;

  constructor(code: LadErrorCode, message: string, details: LadErrorDetails = {}) {
    const { option, value, remedy, retryAfterMs, cause } = details;
    super(remedy && !isSaid(message, remedy) ? `${message} ${remedy}` : message);
    this.code = code;
    this.option = option || undefined;
    this.value = value === undefined || value === "" ? undefined : shown(value);
    this.remedy = remedy || undefined;
    this.retryAfterMs = retryAfterMs || undefined;
    this.stack = (this.stack ?? "").replace(/^\w*Error/, `LadError [${code}]`);
    if (cause !== undefined) Object.defineProperty(this, "cause", { get: () => cause });
    unlisted(this, "name", "remedy");
  }

  /** The error as JSON holds it, in the results that have one: without its cause and its stack. */
  toJSON(): object {
    return { name: this.name, message: this.message, ...(this as object) };
  }
}

/** Whether a remedy says no more than the message: `Give an integer.` to what `must be an integer.` */
function isSaid(message: string, remedy: string): boolean {
  return remedy.startsWith("Give ") && message.endsWith(` must be ${remedy.slice("Give ".length)}`);
}

/** An error's message without its remedy. */
export function messageAlone({ message, remedy }: LadError): string {
  return remedy !== undefined && message.endsWith(` ${remedy}`)
    ? message.slice(0, -remedy.length - 1)
    : message;
}

/** A worker that could not start (`worker-start-failed`) or ended in use (`worker-died`). */
export class WorkerError extends LadError {
  /** The class's name. */
  override readonly name = "WorkerError";
  /** The last lines of the worker's log, oldest first. */
  readonly log: readonly string[];
  /** The process's exit code, if it exited by itself. */
  readonly exitCode: number | undefined;
  /** The signal that ended the process, if one did. */
  readonly signal: string | undefined;

  constructor(
    code: "worker-start-failed" | "worker-died" | "container-failed",
    message: string,
    details: LadErrorDetails & {
      log?: readonly string[];
      exitCode?: number | undefined;
      signal?: string | undefined;
    } = {},
  ) {
    const log = details.log ?? [];
    super(code, log.length === 0 ? message : `${message}\n${logBlock(log)}`, {
      ...details,
      remedy: details.remedy === undefined || log.length === 0 ? details.remedy : `\n${details.remedy}`,
    });
    this.log = log;
    this.exitCode = details.exitCode;
    this.signal = details.signal;
    this.stack = (this.stack ?? "").replace(/^LadError/, "WorkerError");
    unlisted(this, "name", "log");
  }
}

/** `rank is 0: it must be an integer from 1 to 1024. Give an integer from 1 to 1024.` */
export function invalidOption(option: string, value: unknown, problem: string, remedy: string): LadError {
  return new LadError("invalid-option", `${option} is ${shown(value)}: ${problem}.`, {
    option,
    value,
    remedy,
  });
}

/** Whether an error is a LadError, and of the given code if there is one. */
export function isLadError(error: unknown, code?: LadErrorCode): error is LadError {
  return error instanceof LadError && (code === undefined || error.code === code);
}

/** The error of an aborted call, with the signal's reason as its cause. */
export function cancelled(what: string, signal?: AbortSignal): LadError {
  const reason: unknown = signal?.reason;
  if (reason instanceof LadError) return reason;
  return new LadError("cancelled", `${what} was cancelled.`, { cause: reason });
}

/** A value as an error shows it: strings as they are, everything else as JSON, at most 120 characters. */
export function shown(value: unknown, limit = 120): string {
  const text = typeof value === "string" ? (value === "" ? '""' : value) : inspected(value);
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

function inspected(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner));
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/**
 * Leaves out of what `console.log` shows of an error, and Node of one that nobody catches, the properties that are named, since the message
 * tells them, and those that are undefined. They stay for those who ask, as does the cause: gRPC's has a screen of bytes.
 */
function unlisted(error: LadError, ...told: readonly string[]): void {
  for (const [key, value] of Object.entries(error)) {
    if (value === undefined || told.includes(key)) Object.defineProperty(error, key, { enumerable: false });
  }
}

function logBlock(log: readonly string[]): string {
  return ["The last lines of its log:", ...log.map((line) => `  ${line}`)].join("\n");
}
