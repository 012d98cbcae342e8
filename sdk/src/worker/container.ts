/** Starts a worker in a container from the bundled `docker-compose.yml`. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { LadError, WorkerError } from "../errors.js";
import type { CheckedContainer } from "../options.js";
import { locateRuntime } from "../setup/locate.js";
import { BUILD_VERSION } from "../version.js";
import { holdLease } from "./lease.js";
import { WorkerLog } from "./log.js";
import type { Worker } from "./worker.js";

/** The worker ends when no client has held its lease for so long. A killed client leaves it running no longer than that. */
const LEASE_SECONDS = 10;

/**
 * Builds the image if it does not exist, and starts the worker on a loopback port with its token in a secret file.
 *
 * The worker has a lease, which this process holds by an open stream, so that the container ends with this process.
 *
 * @throws LadError `port-in-use`; WorkerError `container-failed` with the last lines of the engine's output
 */
export async function startWorkerContainer(options: CheckedContainer): Promise<Worker> {
  const {
    container: profile,
    threads,
    memoryBudgetBytes = 0,
    rebuild,
    stopGraceMs,
    resumeRuns,
    signal,
  } = options;
  const port = options.port ?? (await freePort());
  if (options.port !== undefined) await checkPort(options.port);
  const log = new WorkerLog(options.onLog);
  const words = await composeCommand();
  const folder = await mkdtemp(join(tmpdir(), "lad-")); // private; the file inside is read by the container's user
  const token = randomBytes(32).toString("hex");
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, `${token}\n`, { mode: 0o644 });
  const project = options.project ?? `lad-${randomBytes(4).toString("hex")}`;
  const compose = composeFor([...words, "--project-name", project, "--profile", profile], {
    LAD_PORT: String(port),
    LAD_TOKEN_FILE: tokenFile,
    LAD_LEASE_SECONDS: String(LEASE_SECONDS),
    LAD_THREADS: String(threads ?? 0),
    LAD_MEMORY_BUDGET: String(memoryBudgetBytes),
    LAD_RESUME_RUNS: resumeRuns ? "yes" : "no",
    LAD_IMAGE: process.env.LAD_IMAGE ?? `lad-worker:${BUILD_VERSION}`,
  });
  const down = async () => {
    const seconds = String(Math.ceil(stopGraceMs / 1000));
    await compose(["down", "--timeout", seconds], new WorkerLog(), undefined).catch(() => {});
    // `down --volumes` would also remove the cache of bases, which all projects share.
    if (options.project === undefined) {
      await execa("docker", ["volume", "rm", `${project}_lad-state`], { reject: false });
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await compose(["up", "--detach", ...(rebuild ? ["--build"] : [])], log, signal);
  } catch (error) {
    await down();
    throw error;
  }
  return follow({ address: `127.0.0.1:${port}`, token, log, compose, down });
}

type Compose = (words: readonly string[], log: WorkerLog, signal: AbortSignal | undefined) => Promise<void>;

interface Started {
  readonly address: string;
  readonly token: string;
  readonly log: WorkerLog;
  readonly compose: Compose;
  readonly down: () => Promise<void>;
}

/** Reads the container's log. The log's end shows that the container has ended, even before the lease is held. */
function follow({ address, token, log, compose, down }: Started): Worker {
  const lost = new AbortController();
  const stop = new AbortController();
  const lose = (why: string, cause?: unknown) => {
    if (stop.signal.aborted || lost.signal.aborted) return;
    lost.abort(new WorkerError("worker-died", `The worker's container ${why}.`, { log: log.tail(), cause }));
  };
  const logs = compose(["logs", "--follow", "--no-color", "--no-log-prefix"], log, stop.signal)
    .then(() => lose("ended"))
    .catch((error: unknown) => lose("could not be followed", error));
  return {
    address,
    token,
    lost: lost.signal,
    log,
    pid: undefined,
    stateFolder: undefined,
    isOwn: true,
    async attach(transport) {
      const { ended } = await holdLease(transport, stop.signal);
      void ended.then((error) => lose("can no longer be reached", error));
    },
    async stop() {
      stop.abort();
      await down();
      await logs;
    },
  };
}

/** `docker compose` if it is available, else `docker-compose`. */
async function composeCommand(): Promise<string[]> {
  for (const words of [["docker", "compose"], ["docker-compose"]]) {
    const [command = "", ...rest] = words;
    const { failed } = await execa(command, [...rest, "version"], { reject: false });
    if (!failed) return words;
  }
  throw new LadError("container-failed", "Neither `docker compose` nor `docker-compose` runs.", {
    option: "container",
    remedy: "Install a container engine with Compose, or start the worker as a process: { device }.",
  });
}

function composeFor(words: readonly string[], env: Record<string, string>): Compose {
  const [command = "", ...rest] = words;
  const { packageFolder } = locateRuntime();
  const file = join(packageFolder, "docker-compose.yml");
  return async (more, log, signal) => {
    const child = execa(command, ["--file", file, ...rest, ...more], {
      env,
      all: true,
      buffer: false,
      reject: false,
      stdin: "ignore",
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    for await (const line of child.iterable({ from: "all" })) log.add(String(line));
    const { failed, exitCode, isCanceled } = await child;
    if (!failed || isCanceled) return;
    throw new WorkerError("container-failed", `\`${command} ${more[0]}\` failed (exit code ${exitCode}).`, {
      exitCode,
      log: log.tail(),
      remedy:
        "Check that the engine runs and that the image can be built (docker-compose.yml names the variables).",
    });
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function checkPort(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        new LadError("port-in-use", `port is ${port}: it cannot be listened on (${cause.code}).`, {
          option: "port",
          value: port,
          remedy: "Give another port, or leave it out for a free one.",
          cause,
        }),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}
