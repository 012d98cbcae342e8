/** Holds a worker's lease. A worker with a lease lives while a client holds a stream open. */
import { setTimeout as sleep } from "node:timers/promises";
import { QUESTION_MS } from "../grpc/deadlines.js";
import { timedOut } from "../grpc/time-limit.js";
import type { Transport } from "../transport.js";
import { WorkerService } from "../wire.js";

/** A lease that is held. */
export interface HeldLease {
  /** The lease's length in seconds; 0: the worker has no lease and runs until it is stopped. */
  readonly leaseSeconds: number;
  /** Resolves when the stream has ended, with the error that ended it; never rejects. */
  readonly ended: Promise<unknown>;
}

/**
 * Holds the worker's lease until the signal is aborted; resolves once it is held.
 *
 * @throws LadError `timeout` if the worker does not confirm it within `answerMs`
 */
export async function holdLease(
  transport: Transport,
  signal: AbortSignal,
  answerMs = QUESTION_MS,
): Promise<HeldLease> {
  const late = new AbortController();
  const until = AbortSignal.any([signal, late.signal]);
  const messages = transport.serverStream(WorkerService.hold, {}, { signal: until })[Symbol.asyncIterator]();
  const timer = setTimeout(() => late.abort(timedOut(WorkerService.hold.path, answerMs)), answerMs);
  const first = await messages.next().finally(() => clearTimeout(timer));
  const untilItEnds = async () => {
    try {
      while (!(await messages.next()).done);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  return { leaseSeconds: first.done ? 0 : first.value.leaseSeconds, ended: untilItEnds() };
}

const AGAIN_MS = 500;

/** Holds the lease, if the worker has one, and takes it again after a broken connection; resolves once it is held. */
export async function keepLease(transport: Transport, signal: AbortSignal): Promise<void> {
  const { leaseSeconds, ended } = await holdLease(transport, signal);
  if (leaseSeconds === 0) return;
  void (async () => {
    for (let end = ended; !signal.aborted; ) {
      await end;
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
      const held = await holdLease(transport, signal).catch(() => undefined);
      end = held?.ended ?? Promise.resolve();
    }
  })();
}
