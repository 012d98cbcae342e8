import { cancelled, LadError } from "../errors.js";
import type { TransportOptions } from "../transport.js";
import { timedOut } from "./time-limit.js";

/** Watches for the reasons that end a call early: a lost worker, a closed transport, the caller's signal, its deadline. */
export interface CallGuard {
  /** The reason why the call has to end, or undefined if there is none yet. */
  reason(): LadError | undefined;
  /** Calls `cancel` as soon as there is a reason. */
  arm(cancel: () => void): void;
  /** Ends the watch and removes all listeners. */
  release(): void;
}

/** @param gone - aborted when no call can succeed any more */
export function guardCall(
  path: string,
  gone: AbortSignal,
  { signal, timeoutMs }: TransportOptions,
): CallGuard {
  const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signals = [gone, signal, deadline].filter((each) => each !== undefined);
  let stop: (() => void) | undefined;
  const onAbort = () => stop?.();
  return {
    reason() {
      if (gone.aborted) return asLadError(gone.reason);
      if (signal?.aborted) return cancelled(`The call ${path}`, signal);
      if (deadline?.aborted) return timedOut(`The call ${path}`, timeoutMs as number);
      return undefined;
    },
    arm(cancel) {
      stop = cancel;
      for (const each of signals) each.addEventListener("abort", onAbort);
    },
    release() {
      for (const each of signals) each.removeEventListener("abort", onAbort);
    },
  };
}

function asLadError(reason: unknown): LadError {
  if (reason instanceof LadError) return reason;
  return new LadError("unavailable", "The worker is gone.", { cause: reason });
}
