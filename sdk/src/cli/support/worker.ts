/** The worker that a command uses. */
import { join } from "node:path";
import type { Command } from "commander";
import { isLadError, LadError, Runtime, servedWorker, type WorkerInfo } from "../../index.js";
import { homeFolder } from "../../setup/locate.js";
import { type Cli, note } from "../cli.js";
import { choice, integer } from "./values.js";

/** The flags of every command that needs a worker. */
export interface WorkerFlags {
  readonly worker?: string;
  readonly device?: Device;
  readonly threads?: number;
  /** Whether its runs are to be found by other commands. */
  readonly keepsRuns?: boolean;
  /** Threads of a worker that is started on the processor, where the user says nothing. Default: by the size of the base. */
  readonly usualThreads?: number | undefined;
}

/** What a command computes on. */
export interface Reached {
  readonly runtime: Runtime;
  /** Whether it goes on when the command has ended. */
  readonly isShared: boolean;
}

const DEVICES = ["cpu", "cuda", "container-cpu", "container-cuda"] as const;
type Device = (typeof DEVICES)[number];

/** `--device`: where a worker computes. */
export const device = choice(DEVICES, { gpu: "cuda", nvidia: "cuda", docker: "container-cpu" });

/** Adds the flags that say which worker, for `reachWorker`. */
export function withWorkerFlags(command: Command): Command {
  return command
    .option("--worker <address>", "a running worker: host:port or unix:///path, its token in LAD_TOKEN")
    .option("--device <device>", `where a worker that is started computes: ${DEVICES.join(", ")}`, device)
    .option("--threads <n>", "its CPU threads", integer);
}

/**
 * Does something with a worker: that of `--worker` or `LAD_WORKER`, else the one that `lad serve` keeps, else one that is started for it. A
 * device or a number of threads asks for one of its own.
 */
export async function withWorker(
  cli: Cli,
  flags: WorkerFlags,
  act: (reached: Reached) => Promise<void>,
): Promise<void> {
  const reached = await reach(cli, flags);
  try {
    await act(reached);
  } finally {
    await reached.runtime.close();
  }
}

/** `withWorker` for commands that keep or look for runs: a worker that is started has the state of `LAD_HOME`, or none is. */
export async function withKeeper(
  cli: Cli,
  flags: WorkerFlags,
  act: (reached: Reached) => Promise<void>,
): Promise<void> {
  return withWorker(cli, { ...flags, keepsRuns: true }, act);
}

async function reach(cli: Cli, flags: WorkerFlags): Promise<Reached> {
  const onWarning = (message: string) => note(cli, `lad: ${message}`);
  const { signal } = cli.leaving;
  const address = flags.worker ?? process.env.LAD_WORKER;
  if (address) {
    const token = process.env.LAD_TOKEN;
    if (token) {
      return { runtime: await Runtime.start({ address, token, onWarning, signal }), isShared: true };
    }
    throw new LadError("invalid-option", `The worker ${address} has a token, which is not given.`, {
      option: "LAD_TOKEN",
      remedy: "Set LAD_TOKEN to the token that the worker was started with.",
    });
  }
  const served = flags.device || flags.threads ? undefined : await servedWorker();
  if (served !== undefined) {
    return { runtime: await Runtime.start({ ...served.connection, onWarning, signal }), isShared: true };
  }
  return { runtime: await startWorker(flags, { onWarning, signal }), isShared: false };
}

/** Starts a worker on the device that the flags name. */
export async function startWorker(
  { device = "cpu", usualThreads, threads = usualThreads, keepsRuns = false }: WorkerFlags,
  options: { onWarning: (message: string) => void; signal: AbortSignal; resumeRuns?: boolean },
): Promise<Runtime> {
  switch (device) {
    case "cpu":
    case "cuda": {
      const stateFolder = keepsRuns ? join(homeFolder(), "state") : undefined;
      return Runtime.start({ ...options, device, threads, stateFolder }).catch(inUse);
    }
    case "container-cpu":
      return Runtime.start({ ...options, container: "cpu", threads });
    case "container-cuda":
      return Runtime.start({ ...options, container: "cuda", threads });
  }
}

/** `cpu (AMD EPYC, 2 threads)` */
export function deviceText({ device, deviceName, threads }: WorkerInfo): string {
  return device === "cpu" ? `cpu (${deviceName}, ${threads} threads)` : `${device} (${deviceName})`;
}

/** Says of a state folder that is in use what to type. */
function inUse(error: unknown): never {
  if (!isLadError(error, "state-in-use")) throw error;
  throw new LadError("state-in-use", `Another command has a worker of its own on ${error.value}.`, {
    remedy:
      "Wait for it to end. Next time type `lad serve` first, in a terminal of its own: all commands that begin after it share its worker.",
    cause: error,
  });
}
