import type { Transport } from "../transport.js";
import type { WorkerLog } from "./log.js";

/** A worker that runs, however it was started. */
export interface Worker {
  /** `unix:///path` or `host:port`. */
  readonly address: string;
  readonly token: string;
  /** Aborted with a LadError as soon as the worker is known to have ended without being asked to. */
  readonly lost: AbortSignal;
  readonly log: WorkerLog;
  /** Of the worker's process, where it is a child of this one. */
  readonly pid: number | undefined;
  /** Where it keeps data sets and checkpoints, where this side started it as a process and it has said so. */
  readonly stateFolder: string | undefined;
  /** Whether `stop` ends it. */
  readonly isOwn: boolean;
  /** Called once the worker answers. */
  attach?(transport: Transport): Promise<void>;
  /** Ends a worker that this side started; leaves any other alone. */
  stop(): Promise<void>;
}
