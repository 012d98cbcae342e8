import type { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import {
  abortSignal,
  callback,
  filledText,
  flag,
  integer,
  oneOf,
  secret,
  storedName,
  text,
} from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";

/** What every way of reaching a worker takes. */
export interface StartOptions {
  /**
   * Milliseconds that the worker may take until it answers: an integer from 1 to 2,147,483,647. Default: 120,000; 1,800,000 for a
   * container, whose image may have to be built; 30,000 for a worker that runs already.
   */
  startTimeoutMs?: number | undefined;
  /** Called with every line of the worker's log. Default: nobody is told. */
  onLog?: ((line: string) => void) | undefined;
  /** Called when a setting is ignored. Default: a Node warning on standard error. */
  onWarning?: ((message: string) => void) | undefined;
  /** Gives up the start. It does not stop a started worker. Default: none. */
  signal?: AbortSignal | undefined;
}

/** What a worker that this process starts takes, however it is started. */
export interface WorkerOptions extends StartOptions {
  /** CPU threads: an integer from 1 to 1,024. Default: by the size of the resident bases. */
  threads?: number | undefined;
  /**
   * Bytes that bases, adapters, optimizer states, snapshots, and what training and sampling need, may take: an integer from 1 to
   * 1,125,899,906,842,624. What would exceed them is refused. Default: 80 % of the device's memory.
   */
  memoryBudgetBytes?: number | undefined;
  /**
   * Milliseconds that a worker which was asked to stop may take to finish its step and checkpoint before it is killed: an integer
   * from 0 to 2,147,483,647. Default: 10,000.
   */
  stopGraceMs?: number | undefined;
  /**
   * Resume the training runs that the end of the last worker of this `stateFolder`, or container `project`, has interrupted, one after
   * another while the worker serves. Default: false.
   */
  resumeRuns?: boolean | undefined;
}

/** A worker started as a local process. */
export interface LocalOptions extends WorkerOptions {
  /** What it computes on. Default: `cpu`. */
  device?: "cpu" | "cuda" | undefined;
  /** The interpreter to start the worker with. Default: the one of the environment that the set-up made. */
  python?: string | undefined;
  /**
   * Where data sets, checkpoints and runs are kept; no other worker may have it. Default: `state` in `$LAD_HOME`; where that is not
   * set, `.lad/state` in a checkout, else `state` beside the environment; while another worker has that, `state-2` and so on, with a warning.
   */
  stateFolder?: string | undefined;
  /** The least serious lines that the worker's log has. Default: `info`. */
  logLevel?: "debug" | "info" | "warning" | "error" | undefined;
}

/** A worker started as a container from the bundled `docker-compose.yml`. */
export interface ContainerOptions extends WorkerOptions {
  /** The profile of `docker-compose.yml` to start. */
  container: "cpu" | "cuda";
  /** The port on loopback: an integer from 1 to 65,535. Default: a free one. */
  port?: number | undefined;
  /**
   * Names the containers and their volume; a name of one's own keeps its checkpoints. 1 to 64 letters, digits, dots, underscores or
   * hyphens, the first a letter or digit. Default: `lad-` and a random word.
   */
  project?: string | undefined;
  /** Build the image again even where there is one. Default: false. */
  rebuild?: boolean | undefined;
}

/** A worker that runs already; closing the runtime leaves it running. */
export interface RemoteOptions extends StartOptions {
  /** `host:port`, or `unix:///path`. The connection is not encrypted: reach another machine through a tunnel. */
  address: string;
  /** The worker's token. Space around it, such as the line's end of a token file, is left out. */
  token: string;
}

/** Options of `Runtime.start`: a local process, a container, or a worker that runs already. */
export type RuntimeOptions = LocalOptions | ContainerOptions | RemoteOptions;

const startShape = {
  startTimeoutMs: integer(1, 2 ** 31 - 1).optional(),
  onLog: callback<(line: string) => void>().optional(),
  onWarning: callback<Warn>().optional(),
  signal: abortSignal().optional(),
};

const workerShape = {
  ...startShape,
  threads: integer(1, 1024).optional(),
  memoryBudgetBytes: integer(1, 2 ** 50).optional(),
  stopGraceMs: integer(0, 2 ** 31 - 1).default(10_000),
  resumeRuns: flag().default(false),
};

export const localFields = fieldsOf<LocalOptions>()({
  ...workerShape,
  device: oneOf(["cpu", "cuda"]).default("cpu"),
  python: filledText("a path").optional(),
  stateFolder: filledText("a path").optional(),
  logLevel: oneOf(["debug", "info", "warning", "error"]).default("info"),
});

export const containerFields = fieldsOf<ContainerOptions>()({
  ...workerShape,
  container: oneOf(["cpu", "cuda"]),
  port: integer(1, 65_535).optional(),
  project: storedName().optional(),
  rebuild: flag().default(false),
});

export const remoteFields = fieldsOf<RemoteOptions>()({
  ...startShape,
  address: text().regex(/^(unix:\/\/\/.+|[^/\s]+:\d{1,5})$/, { error: "host:port or unix:///path" }),
  token: secret("the worker's token, of printable ASCII characters"),
});

export type CheckedLocal = z.output<typeof localFields>;
export type CheckedContainer = z.output<typeof containerFields>;
export type CheckedRemote = z.output<typeof remoteFields>;

/** @throws LadError `invalid-option` */
export function checkRuntime(
  options: RuntimeOptions,
):
  | { kind: "local"; options: CheckedLocal }
  | { kind: "container"; options: CheckedContainer }
  | { kind: "remote"; options: CheckedRemote } {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  if ("container" in given) return { kind: "container", options: check(containerFields, given) };
  if ("address" in given) return { kind: "remote", options: check(remoteFields, given) };
  return { kind: "local", options: check(localFields, given) };
}
