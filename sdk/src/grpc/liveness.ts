/**
 * Whether the worker lives, asked where nothing has come from it for a while.
 *
 * It is asked with the standard health check, which its server answers beside whatever it computes. Over a unix socket nothing else
 * would tell: the kernel takes bytes for a process that is stopped. Over TCP, pings find a dead host as well; that its gRPC library
 * answers them says nothing of the worker itself.
 */
import { isLadError, LadError } from "../errors.js";
import type { Transport } from "../transport.js";
import { healthCheck } from "../wire.js";

export interface LivenessSettings {
  /** How long a worker may be silent before it is asked. Default 20,000. */
  readonly silenceMs?: number | undefined;
  /** How long it may take to answer; it is asked twice, because this process may have been busy itself. Default 15,000. */
  readonly answerMs?: number | undefined;
}

const TRIES = 2;

/** What is known of one worker's life, shared by all calls to it. */
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

  /** Something came from the worker. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** Watches over one call: `lost` is called once the worker is found not to answer. The function ends the watch. */
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

  /** Asks the worker, for all who want to know at the same time. */
  #answers(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Any answer is a sign of life, and an error that is told at once is the call's own to find. */
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
