/** Starts a worker as a child process. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { LadError, WorkerError } from "../errors.js";
import type { CheckedLocal } from "../options.js";
import { homeFolder, locateRuntime, requireRuntime } from "../setup/locate.js";
import { socketFolder, socketIn } from "../setup/socket-folder.js";
import { WorkerLog } from "./log.js";
import type { Worker } from "./worker.js";

/** The prefix of the line on the worker's standard output that names its state folder. */
const STATE = "state ";
/** The worker's exit status if another worker uses the state folder. */
const IN_USE_STATUS = 75;
const IN_USE = /^error: (The state folder .* is in use by another worker .*\)\.)/;
/** What Python says of a package that is not installed. */
const LACKED = /^ModuleNotFoundError: No module named '([\w.]+)'/;

/**
 * Starts `python -m lad_runtime` on a unix socket in a private folder.
 *
 * The worker reads its token from the first line of its standard input. It ends when that stream ends, which happens when this
 * process dies. It has its own process group, which is killed as a whole.
 */
export async function startWorkerProcess(options: CheckedLocal): Promise<Worker> {
  const folder = await socketFolder();
  try {
    return launch(options, folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function launch(options: CheckedLocal, folder: string): Worker {
  const { device, threads, memoryBudgetBytes = 0, logLevel, stopGraceMs, resumeRuns } = options;
  const { runtimeFolder, python, stateFolder } = locate(options);
  let taken: string | undefined;
  const socket = socketIn(folder);
  const token = randomBytes(32).toString("hex");
  const log = new WorkerLog(options.onLog);
  const words = ["-m", "lad_runtime", "--socket", socket, "--device", device, "--token-stdin"];
  words.push("--state", stateFolder, ...(options.stateFolder === undefined ? ["--or-next-state"] : []));
  words.push("--threads", String(threads ?? 0), "--log-level", logLevel);
  words.push("--memory-budget", String(memoryBudgetBytes), ...(resumeRuns ? ["--resume-runs"] : []));
  const child = spawn(python, words, environment(runtimeFolder, threads));
  child.stdin.on("error", () => {}); // the worker may be gone before it has read its token
  child.stdin.write(`${token}\n`);
  const lost = new AbortController();
  let stopping = false;
  const onState = (folder: string) => {
    taken = folder;
    if (resolve(folder) !== resolve(stateFolder)) options.onWarning?.(besideWarning(stateFolder, folder));
  };
  const ended = watch(child, log, onState).then((exit) => {
    if (!stopping) lost.abort(endedError(exit, log, { python, stateFolder }));
  });
  return {
    address: `unix://${socket}`,
    token,
    lost: lost.signal,
    log,
    pid: child.pid,
    get stateFolder() {
      return taken;
    },
    isOwn: true,
    async stop() {
      stopping = true;
      signalGroup(child.pid, "SIGTERM");
      const timer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), stopGraceMs);
      await ended;
      clearTimeout(timer);
      signalGroup(child.pid, "SIGKILL"); // the worker's children that are left
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Spawns the worker in its own process group, whose id is the child's. */
function spawn(python: string, words: readonly string[], env: Record<string, string>) {
  return execa(python, words, {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
    cleanup: false,
    detached: true,
    env,
  });
}
type Child = ReturnType<typeof spawn>;

/** How a process ended. */
interface Exit {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** The error of a process that could not be started. */
  readonly spawnError: Error | undefined;
}

/** Reads both streams into the log until the process has ended. Does not wait for grandchildren that hold them open. */
async function watch(child: Child, log: WorkerLog, onState: (folder: string) => void): Promise<Exit> {
  const onOutput = (line: string) => {
    if (line.startsWith(STATE)) onState(line.slice(STATE.length));
  };
  const read = Promise.allSettled([
    readLines(child, "stdout", log, onOutput),
    readLines(child, "stderr", log, () => {}),
  ]);
  const result = child.catch((error: unknown) => error as Awaited<typeof child>);
  if (child.pid === undefined) {
    const { cause, originalMessage } = (await result) as { cause?: unknown; originalMessage?: string };
    return {
      exitCode: undefined,
      signal: undefined,
      spawnError: cause instanceof Error ? cause : new Error(originalMessage ?? "it could not be started"),
    };
  }
  const [exitCode, signal] = (await once(child, "exit")) as [number | null, string | null];
  const patience = new AbortController();
  const late = new Promise((resolve) => {
    const timer = setTimeout(resolve, 200);
    patience.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  await Promise.race([read, late]);
  patience.abort();
  return { exitCode: exitCode ?? undefined, signal: signal ?? undefined, spawnError: undefined };
}

async function readLines(
  child: Child,
  from: "stdout" | "stderr",
  log: WorkerLog,
  onLine: (line: string) => void,
): Promise<void> {
  for await (const line of child.iterable({ from })) {
    log.add(line);
    onLine(line);
  }
}

/** The warning that another worker uses the default folder, so that this one has taken the next. */
function besideWarning(wanted: string, taken: string): string {
  return (
    `Another worker has ${wanted}, so this one keeps data sets and checkpoints in ${taken}: ` +
    "what is saved there is found by workers that have that stateFolder. The worker that `lad serve` keeps is used by " +
    "`Runtime.start((await servedWorker())?.connection)`."
  );
}

function endedError(
  { exitCode, signal, spawnError }: Exit,
  log: WorkerLog,
  { python, stateFolder }: { python: string; stateFolder: string },
): LadError {
  if (spawnError !== undefined) {
    return new LadError("setup-failed", `python is ${python}: ${spawnError.message}.`, {
      option: "python",
      value: python,
      remedy: "Give the path of a Python interpreter, or leave it out and run `npx lad setup`.",
      cause: spawnError,
    });
  }
  const inUse = log.tail().find((line) => IN_USE.test(line));
  if (exitCode === IN_USE_STATUS && inUse !== undefined) {
    return new LadError("state-in-use", IN_USE.exec(inUse)?.[1] ?? inUse, {
      option: "stateFolder",
      value: stateFolder,
      remedy: "Give another stateFolder, or reach that worker with Runtime.start({ address, token }).",
    });
  }
  const lacked = log
    .tail()
    .map((line) => LACKED.exec(line)?.[1])
    .find((name) => name !== undefined);
  if (exitCode !== 0 && lacked !== undefined) {
    return new LadError("setup-required", `The worker's Python ${python} has no package ${lacked}.`, {
      remedy: "Run `npx lad setup` (in a checkout `npm run setup`): it installs what the worker needs.",
    });
  }
  const how = signal === undefined ? `exit code ${exitCode}` : `signal ${signal}`;
  return new WorkerError("worker-died", `The worker ended (${how}).`, {
    exitCode,
    signal,
    log: log.tail(),
    remedy: signal === "SIGKILL" ? "If nobody killed it, the machine may have run out of memory." : undefined,
  });
}

function locate({ python, stateFolder }: CheckedLocal) {
  const found = python === undefined ? requireRuntime() : { ...locateRuntime(), python };
  return { ...found, stateFolder: stateFolder ?? join(homeFolder(), "state") };
}

function environment(runtimeFolder: string, threads: number | undefined): Record<string, string> {
  return {
    PYTHONPATH: runtimeFolder,
    PYTHONUNBUFFERED: "1",
    PYTHONSAFEPATH: "1",
    ...(threads === undefined ? {} : { OMP_NUM_THREADS: String(threads) }),
  };
}

/** Sends a signal to the worker's whole process group, if it still exists. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
