/**
 * Checks whether a worker that has been silent for a while is alive.
 *
 * It sends the standard health check, which the worker's server answers while the device computes. Over a unix socket nothing else
 * would show it: the kernel accepts bytes for a stopped process. Over TCP, pings also find a dead host, but the gRPC library answers
 * them even if the worker hangs.
 */
import { isLadError, LadError } from "../errors.js";
import type { Transport } from "../transport.js";
import { healthCheck } from "../wire.js";

export interface LivenessSettings {
  /** How long a worker may be silent before it is checked, in milliseconds. Default 20,000. */
  readonly silenceMs?: number | undefined;
  /** How long its answer may take, in milliseconds. It is asked twice, since this process may be the busy one. Default 15,000. */
  readonly answerMs?: number | undefined;
}

const TRIES = 2;

/** Tracks whether one worker is alive, for all calls to it. */
export class Liveness {
  readonly #transport: Transport;
  readonly #silenceMs: number;
  readonly #answerMs: number;
  #heardAt = 0;
  #asking: Promise<boolean> | undefined;

  constructor(transport: Transport, { silenceMs = 20_000, answerMs = 15_000 }: LivenessSettings = {}) {
    this.#transport = transport;
    this.#silenceMs = silenceMs;
    this.#answerMs = answerMs;
  }

  /** Notes that the worker has sent something. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** Watches one call: calls `lost` if the worker does not answer the check. Returns the function that ends the watch. */
  watch(path: string, lost: (reason: LadError) => void): () => void {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const later = () => {
      const silentMs = performance.now() - Math.max(startedAt, this.#heardAt);
      timer = setTimeout(() => void look(), Math.max(1, this.#silenceMs - silentMs));
      timer.unref();
    };
    const look = async () => {
      const silentMs = performance.now() - Math.max(startedAt, this.#heardAt);
      const lives = silentMs < this.#silenceMs || (await this.#answers());
      if (isOver) return;
      if (lives) later();
      else lost(this.#silent(path));
    };
    later();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }

  /** Checks the worker, once for all calls that want to know at the same time. */
  #answers(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Whether the worker answers. Any answer counts, and so does an immediate error: the call itself will report it. */
  async #ask(): Promise<boolean> {
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        await this.#transport.unary(healthCheck, { service: "" }, { timeoutMs: this.#answerMs });
        this.heard();
        return true;
      } catch (error) {
        if (!isLadError(error, "timeout")) return true;
      }
    }
    return false;
  }

  #silent(path: string): LadError {
    const waitedMs = this.#silenceMs + TRIES * this.#answerMs;
    const text = `The call ${path} was given up: the worker has not answered anything for ${waitedMs / 1000} s.`;
    return new LadError("timeout", text, {
      option: "timeoutMs",
      value: waitedMs,
      remedy: "Its process may be stopped, or its machine; with timeoutMs: 0 a call waits all the same.",
    });
  }
}
