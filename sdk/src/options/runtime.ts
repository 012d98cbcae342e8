import type { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import {
  abortSignal,
  callback,
  fields,
  filledText,
  flag,
  integer,
  oneOf,
  secret,
  storedName,
  text,
} from "../checks/fields.js";

const common = {
  /** How long the worker may take until it answers. Default 120,000; for a container whose image has to be built, 30 min. */
  startTimeoutMs: integer(1, 2 ** 31 - 1).optional(),
  /** Called with every line of the worker's log. */
  onLog: callback<(line: string) => void>().optional(),
  /** Called when a setting is ignored. Default: a Node warning on standard error. */
  onWarning: callback<Warn>().optional(),
  /** Gives up the start. It does not stop a started worker. */
  signal: abortSignal().optional(),
};

/**
 * Bytes that bases, adapters, optimizer states, snapshots, and what training and sampling need, may take; what would exceed them is
 * refused.
 * Default: 80 % of the device's memory.
 */
const memoryBudgetBytes = integer(1, 2 ** 50).optional();

const stopGraceMs = integer(0, 2 ** 31 - 1).default(10_000);

export const localFields = fields({
  ...common,
  device: oneOf(["cpu", "cuda"]).default("cpu"),
  /** The interpreter to start the worker with. Default: the one of the environment that the set-up made. */
  python: filledText("a path").optional(),
  /** CPU threads. Default: by the size of the resident bases. */
  threads: integer(1, 1024).optional(),
  memoryBudgetBytes,
  /**
   * Where data sets and checkpoints are kept; no other worker may have it. Default: `.lad/state` in a checkout, else `state` beside
   * the environment; while another worker has that, `state-2` and so on, with a warning.
   */
  stateFolder: filledText("a path").optional(),
  logLevel: oneOf(["debug", "info", "warning", "error"]).default("info"),
  /** How long a worker that was asked to stop may take to finish its step and checkpoint before it is killed. */
  stopGraceMs,
});

const containerFields = fields({
  ...common,
  /** The profile of `docker-compose.yml` to start. */
  container: oneOf(["cpu", "cuda"]),
  /** The port on loopback. Default: a free one. */
  port: integer(1, 65_535).optional(),
  threads: integer(1, 1024).optional(),
  memoryBudgetBytes,
  /** Names the containers and their volume. Default: `lad-` and a random word; a name of one's own keeps its checkpoints. */
  project: storedName().optional(),
  /** Build the image again even where there is one. */
  rebuild: flag().default(false),
  stopGraceMs,
});

const remoteFields = fields({
  ...common,
  /** `host:port`, or `unix:///path`. The connection is not encrypted: reach another machine through a tunnel. */
  address: text().regex(/^(unix:\/\/\/.+|[^/\s]+:\d{1,5})$/, { error: "host:port or unix:///path" }),
  /** Space around it, such as the line's end of a token file, is left out. */
  token: secret("the worker's token, of printable ASCII characters"),
});

/** A worker started as a local process. */
export type LocalOptions = z.input<typeof localFields>;
/** A worker started as a container from the bundled `docker-compose.yml`. */
export type ContainerOptions = z.input<typeof containerFields>;
/** A worker that runs already; closing the runtime leaves it running. */
export type RemoteOptions = z.input<typeof remoteFields>;
/** Options of `Runtime.start`: a local process, a container, or a worker that runs already. */
export type RuntimeOptions = LocalOptions | ContainerOptions | RemoteOptions;

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
