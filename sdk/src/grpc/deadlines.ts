/**
 * How long a call may take where its caller does not say.
 *
 * A question is answered from what the worker's server knows, whatever is being computed: it has seconds. Everything else waits for
 * the device, the disk, the hub or other people's requests. How long that takes depends on the base, the machine and the load (a
 * micro-step of a large base takes minutes on a CPU), so that no number would be right for it: it goes on for as long as the worker
 * lives. Which of the two a method is, the protocol says.
 */
import type { Method } from "../transport.js";
import { isAnsweredAtOnce } from "../wire.js";

/** The longest wait in milliseconds, or for as long as the worker lives. */
export type Bound = number | "while-alive";

/** For what is answered at once, on a machine that is busy. */
export const QUESTION_MS = 30_000;

/** The bound of a call; a request that says `wait` is no question. */
export function boundOf(method: Pick<Method<never, never>, "path">, request: unknown): Bound {
  const isWaiting = (request as { wait?: boolean } | undefined)?.wait === true;
  return isAnsweredAtOnce(method) && !isWaiting ? QUESTION_MS : "while-alive";
}
