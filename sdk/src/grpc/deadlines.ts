/**
 * The default time limits of calls.
 *
 * The worker's server answers a question at once, whatever the device computes, so a question has a limit of seconds. Every other
 * call waits for the device, the disk, the hub or other clients' requests. Its time depends on the base, the machine and the load (a
 * micro-step of a large base takes minutes on a CPU), so no number would be right: it has no limit while the worker lives. The
 * protocol says which methods are questions.
 */
import type { Method } from "../transport.js";
import { isAnsweredAtOnce } from "../wire.js";

/** A time limit in milliseconds, or none while the worker lives. */
export type Bound = number | "while-alive";

/** The limit of a question, even on a busy machine. */
export const QUESTION_MS = 30_000;

/** The time limit of a call. A request with `wait` is not a question. */
export function boundOf(method: Pick<Method<never, never>, "path">, request: unknown): Bound {
  const isWaiting = (request as { wait?: boolean } | undefined)?.wait === true;
  return isAnsweredAtOnce(method) && !isWaiting ? QUESTION_MS : "while-alive";
}
