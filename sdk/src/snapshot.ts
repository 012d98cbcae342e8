import { check } from "./checks/check.js";
import type { Client } from "./client.js";
import { isLadError } from "./errors.js";
import type { FrozenBase } from "./frozen-base.js";
import { Model } from "./model.js";
import { type CallOptions, callOptions } from "./options.js";
import { type AdapterInfo, AdaptersService } from "./wire.js";

/** An adapter's weights as they were at one moment: it samples and scores, and nothing changes it. */
export class Snapshot extends Model {
  /** The base that it belongs to. */
  readonly base: FrozenBase;
  /** The adapter as it was then. */
  readonly info: AdapterInfo;

  /** @internal */
  constructor(client: Client, base: FrozenBase, info: AdapterInfo) {
    super(client, base.info, info.id);
    this.base = base;
    this.info = info;
  }

  /** The snapshot's id on the worker. */
  get id(): string {
    return this.info.id;
  }

  /** Frees its memory. */
  async drop(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    const client = this.client.within(timeoutMs);
    await client.call(AdaptersService.dropAdapter, { adapterId: this.id }, { signal });
  }

  /** As `drop`; that it is gone already is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop().catch(unlessGone);
  }
}

/** Dropping what went with its worker, or was dropped before, is no failure. */
export function unlessGone(error: unknown): void {
  if (isLadError(error) && GONE.has(error.code)) return;
  throw error;
}

const GONE: ReadonlySet<string> = new Set(["not-found", "unavailable", "worker-died"]);
