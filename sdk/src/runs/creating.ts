/**
 * Calls that create something on the worker, under an id that this side chooses. So the call may be sent again after a broken
 * connection, and if this side has not seen its reply, it can remove what the call created.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../client.js";
import { cancelled, isLadError } from "../errors.js";
import { AdaptersService } from "../wire.js";
import { cancelRun } from "./run.js";

/** The errors after which this side does not know whether the worker has created it. */
const UNCERTAIN: ReadonlySet<string> = new Set(["cancelled", "timeout", "unavailable"]);
/** How long the removal may take, and how much of that time the caller's error waits for, in milliseconds. */
const TAKE_BACK_MS = 10_000;
const PATIENCE_MS = 200;

/** A random id: `adapter-0123456789ab`. */
export function newId(kind: "adapter" | "snapshot" | "run"): string {
  return `${kind}-${randomBytes(6).toString("hex")}`;
}

/** Sends a call that creates the adapter or snapshot of that id. */
export function creatingAdapter<Reply>(
  client: Client,
  adapterId: string,
  send: () => Promise<Reply>,
  signal?: AbortSignal,
): Promise<Reply> {
  const settings = { timeoutMs: TAKE_BACK_MS, idempotent: true }; // dropping twice does no harm
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
      const taken = takeBack().catch(() => {}); // the worker itself also undoes calls that it sees end
      await Promise.race([taken, sleep(PATIENCE_MS, undefined, { ref: false })]);
    }
    throw error;
  }
}
