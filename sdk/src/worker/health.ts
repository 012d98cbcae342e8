/** Checks whether a worker answers and speaks this client's protocol. */
import { pause } from "../client.js";
import { isLadError, LadError } from "../errors.js";
import { QUESTION_MS } from "../grpc/deadlines.js";
import type { Transport } from "../transport.js";
import { BUILD_VERSION, PROTOCOL_VERSION } from "../version.js";
import { healthCheck, WorkerService } from "../wire.js";

/** The health status of a worker that accepts calls. */
const SERVING = "SERVING";

/** The waits between health checks, in milliseconds: doubled from the first to the longest. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 500;
const ANSWER_MS = 5_000;

/**
 * Waits until the worker is healthy, then compares versions.
 *
 * @param signal - ends the wait, with its reason if that is a LadError
 * @throws LadError `version-mismatch`, `unauthenticated`, or the signal's reason
 */
export async function waitUntilReady(transport: Transport, signal: AbortSignal): Promise<void> {
  for (
    let wait = FIRST_WAIT_MS;
    !(await isHealthy(transport, signal));
    wait = Math.min(2 * wait, LONGEST_WAIT_MS)
  ) {
    await pause(wait, signal);
  }
  await handshake(transport, signal);
}

/** @throws LadError `version-mismatch` naming both sides' versions, `unauthenticated` for a wrong token */
export async function handshake(transport: Transport, signal?: AbortSignal): Promise<void> {
  const request = { protocolVersion: PROTOCOL_VERSION, buildVersion: BUILD_VERSION };
  const theirs = await transport.unary(WorkerService.handshake, request, { signal, timeoutMs: QUESTION_MS });
  if (theirs.protocolVersion === PROTOCOL_VERSION && theirs.buildVersion === BUILD_VERSION) return;
  throw new LadError(
    "version-mismatch",
    `This client is ${BUILD_VERSION} (protocol ${PROTOCOL_VERSION}), the worker ${theirs.buildVersion} ` +
      `(protocol ${theirs.protocolVersion}).`,
    { remedy: "Install the same version on both sides; rebuild a container's image with rebuild: true." },
  );
}

async function isHealthy(transport: Transport, signal: AbortSignal): Promise<boolean> {
  try {
    const { status } = await transport.unary(healthCheck, { service: "" }, { signal, timeoutMs: ANSWER_MS });
    return status === SERVING;
  } catch (error) {
    if (isLadError(error, "unavailable") || isLadError(error, "timeout")) return false;
    throw error;
  }
}
