/**
 * Calls that make something on the worker. It has an id of this side's choosing, so that the call may be sent again where the
 * connection broke, and what it made is taken back where nobody here has seen the reply.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../client.js";
import { cancelled, isLadError } from "../errors.js";
import { AdaptersService } from "../wire.js";
import { cancelRun } from "./run.js";

/** Outcomes after which nobody here knows whether the worker has made it. */
const UNCERTAIN: ReadonlySet<string> = new Set(["cancelled", "timeout", "unavailable"]);
/** How long taking it back may take, and how much of that the caller's error waits for. */
const TAKE_BACK_MS = 10_000;
const PATIENCE_MS = 200;

/** `adapter-0123456789ab` */
export function newId(kind: "adapter" | "snapshot" | "run"): string {
  return `${kind}-${randomBytes(6).toString("hex")}`;
}

/** Sends a call that makes the adapter or snapshot of that id. */
export function makingAdapter<Reply>(
  client: Client,
  adapterId: string,
  send: () => Promise<Reply>,
  signal?: AbortSignal,
): Promise<Reply> {
  const settings = { timeoutMs: TAKE_BACK_MS, idempotent: true }; // that it is gone already is as well
  const drop = () => client.call(AdaptersService.dropAdapter, { adapterId }, settings);
  return making(send, drop, signal);
}

/** Sends a call that starts the run of that id. */
export function startingRun<Reply>(
  client: Client,
  runId: string,
  send: () => Promise<Reply>,
  signal?: AbortSignal,
): Promise<Reply> {
  return making(send, () => cancelRun(client, runId, { timeoutMs: TAKE_BACK_MS }), signal);
}

async function making<Reply>(
  send: () => Promise<Reply>,
  takeBack: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<Reply> {
  if (signal?.aborted) throw cancelled("The call", signal);
  try {
    return await send();
  } catch (error) {
    if (isLadError(error) && UNCERTAIN.has(error.code)) {
      const taken = takeBack().catch(() => {}); // the worker undoes a call that it saw end, too
      await Promise.race([taken, sleep(PATIENCE_MS, undefined, { ref: false })]);
    }
    throw error;
  }
}
