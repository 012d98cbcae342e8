import { check } from "./checks/check.js";
import type { Client } from "./client.js";
import { weightsDigest } from "./data/weights-digest.js";
import { isLadError } from "./errors.js";
import type { FrozenBase } from "./frozen-base.js";
import { Model } from "./model.js";
import { type CallOptions, callOptions } from "./options.js";
import { type AdapterClaims, type AdapterInfo, AdaptersService } from "./wire.js";

/** An adapter's weights at one moment. It samples and scores, and never changes. */
export class Snapshot extends Model {
  /** The base that it belongs to. */
  readonly base: FrozenBase;
  /** The adapter's state at that moment. */
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

  /**
   * SHA-256 of its weights and their configuration in PEFT's format, in hexadecimal: snapshots with equal weights have equal digests, on
   * whatever worker.
   */
  async digest(options: CallOptions = {}): Promise<string> {
    const { signal, timeoutMs } = check(callOptions, options);
    return weightsDigest(this.client.within(timeoutMs), this.id, signal);
  }

  protected override async claims(): Promise<AdapterClaims | undefined> {
    return this.info.claims;
  }

  /** Frees the snapshot's memory. */
  async drop(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    const client = this.client.within(timeoutMs);
    await client.call(AdaptersService.dropAdapter, { adapterId: this.id }, { signal });
  }

  /** As `drop`, but does nothing if the snapshot is gone already. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop().catch(unlessGone);
  }
}

/** Ignores errors of a drop that mean that the object or its worker is gone already. */
export function unlessGone(error: unknown): void {
  if (isLadError(error) && GONE.has(error.code)) return;
  throw error;
}

const GONE: ReadonlySet<string> = new Set(["not-found", "unavailable", "worker-died"]);
