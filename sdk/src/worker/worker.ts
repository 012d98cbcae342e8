import type { Transport } from "../transport.js";
import type { WorkerLog } from "./log.js";

/** A running worker, however it was started. */
export interface Worker {
  /** `unix:///path` or `host:port`. */
  readonly address: string;
  readonly token: string;
  /** Aborted with a LadError as soon as the worker is known to have ended without being asked to. */
  readonly lost: AbortSignal;
  readonly log: WorkerLog;
  /** The worker's process id, if it is a child of this process. */
  readonly pid: number | undefined;
  /** The folder of its data sets and checkpoints, if it is a child of this process and has named it. */
  readonly stateFolder: string | undefined;
  /** Whether this process started the worker, so that `stop` ends it. */
  readonly isOwn: boolean;
  /** Called once the worker answers. */
  attach?(transport: Transport): Promise<void>;
  /** Ends the worker if this side started it. */
  stop(): Promise<void>;
}
