import { Adapter } from "./adapter.js";
import { Base, loadBase } from "./base.js";
import { check } from "./checks/check.js";
import { Client } from "./client.js";
import { openDataset } from "./data/data.js";
import { cancelled, isLadError, LadError, WorkerError } from "./errors.js";
import { GrpcTransport } from "./grpc/transport.js";
import {
  type BaseOptions,
  type CallOptions,
  callOptions,
  checkpointName,
  checkRuntime,
  checkSource,
  type DataSource,
  type Dataset,
  type RuntimeOptions,
} from "./options.js";
import { Run } from "./runs/run.js";
import type { Transport } from "./transport.js";
import { emitWarning } from "./warnings.js";
import {
  AdaptersService,
  fromAdapter,
  fromCheckpoint,
  fromInfo,
  fromRun,
  present,
  type RunInfo,
  RunsService,
  type StoredCheckpoint,
  type WorkerInfo,
  WorkerService,
} from "./wire.js";
import { startWorkerContainer } from "./worker/container.js";
import { waitUntilReady } from "./worker/health.js";
import { keepLease } from "./worker/lease.js";
import { WorkerLog } from "./worker/log.js";
import { startWorkerProcess } from "./worker/process.js";
import type { Worker } from "./worker/worker.js";

const START_TIMEOUT_MS = { local: 120_000, container: 1_800_000, remote: 30_000 } as const;

/** What is needed to reach a worker. */
export interface Connection {
  /** Where it listens: `unix:///path` or `host:port`. */
  address: string;
  /** Gives full access to the worker: keep it secret. */
  token: string;
}

/** A connection to a worker: a process or container that this process starts and ends, or a worker that already runs. */
export class Runtime {
  readonly #client: Client;
  readonly #worker: Worker;
  #closing: Promise<void> | undefined;

  private constructor(client: Client, worker: Worker) {
    this.#client = client;
    this.#worker = worker;
  }

  /**
   * Starts or reaches a worker; resolves once it is healthy and speaks this client's protocol.
   *
   * `{ device }` starts a local process, `{ container }` a container, `{ address, token }` reaches a running worker.
   *
   * @throws LadError `invalid-option`, `setup-required`, `setup-failed`, `state-in-use`, `port-in-use`, `version-mismatch`, `unauthenticated`, `timeout`;
   *   WorkerError `worker-start-failed` or `container-failed` with the last lines of the log
   */
  static async start(options: RuntimeOptions = {}): Promise<Runtime> {
    const started = checkRuntime(options);
    const {
      startTimeoutMs = START_TIMEOUT_MS[started.kind],
      onWarning = emitWarning,
      signal,
    } = started.options;
    if (signal?.aborted) throw cancelled("The start of the worker", signal);
    const deadline = AbortSignal.timeout(startTimeoutMs);
    const given = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
    const worker = await startWorker(started, given);
    const { address, token, lost } = worker;
    const transport = new GrpcTransport({ address, token, lost });
    try {
      await waitUntilReady(transport, AbortSignal.any([given, lost]));
      await worker.attach?.(transport);
    } catch (error) {
      transport.close();
      await worker.stop();
      throw startError(error, worker, { startTimeoutMs, isLate: deadline.aborted });
    }
    return new Runtime(new Client(transport, onWarning), worker);
  }

  /** A runtime over your own transport; tests use it to put a worker into the same process. */
  static over(transport: Transport, options: { onWarning?: (message: string) => void } = {}): Runtime {
    const worker = remoteWorker({ address: "", token: "" });
    return new Runtime(new Client(transport, options.onWarning ?? emitWarning), worker);
  }

  /** The process id of the worker, if it is a child of this process. */
  get workerPid(): number | undefined {
    return this.#worker.pid;
  }

  /** The folder in which the worker keeps data sets and checkpoints, if it is a child of this process. */
  get stateFolder(): string | undefined {
    return this.#worker.stateFolder;
  }

  /** Where the worker listens: `unix:///path` or `host:port`. */
  get address(): string {
    return this.#worker.address;
  }

  /** The options of `Runtime.start` with which another process reaches this worker. The token gives full access: keep it secret. */
  get connection(): Connection {
    const { address, token } = this.#worker;
    return { address, token };
  }

  /** Aborted, with the error as its reason, once a worker that this process started has ended without being asked to. */
  get lost(): AbortSignal {
    return this.#worker.lost;
  }

  /** The last lines of the log of a worker that this process started, oldest first. */
  get log(): readonly string[] {
    return this.#worker.log.tail(200);
  }

  /** The device, its accounted memory, and the resident bases and adapters. */
  async info(options: CallOptions = {}): Promise<WorkerInfo> {
    const { signal, timeoutMs } = check(callOptions, options);
    return infoOf(this.#client.within(timeoutMs), signal);
  }

  /**
   * Loads a base, or finds it resident: `stub`, `tiny`, `smollm2-135m`, a hub id, or on the worker's machine a folder or a file of
   * torch.save (`.pth`) that has its configuration and tokenizer beside it.
   *
   * @throws LadError `not-found`, `access-denied`, `invalid-file`, `unsupported-model`, `invalid-option`, `out-of-memory`
   */
  loadBase(name: string, options: BaseOptions = {}): Promise<Base> {
    return loadBase(this.#client, name, options);
  }

  /**
   * Finds a resident adapter by its id.
   *
   * @throws LadError `not-found`
   */
  async adapter(id: string, options: CallOptions = {}): Promise<Adapter> {
    const { signal, timeoutMs } = check(callOptions, options);
    const client = this.#client.within(timeoutMs);
    const reply = await client.call(AdaptersService.getAdapter, { adapterId: id }, { signal });
    const adapter = fromAdapter(present(reply.adapter, "an adapter"));
    const { bases } = await infoOf(client, signal);
    const info = bases.find((candidate) => candidate.id === adapter.baseId);
    const base = new Base(this.#client, present(info, "the adapter's base"));
    return new Adapter(this.#client, base, adapter);
  }

  /**
   * Uploads examples to the worker, unless it has them, and identifies them by their content.
   *
   * @throws LadError `not-found` for a missing file, `invalid-data` with the line of an example that cannot be read
   */
  async dataset(data: DataSource, options: CallOptions = {}): Promise<Dataset> {
    const { signal, timeoutMs } = check(callOptions, options);
    return openDataset(this.#client.within(timeoutMs), checkSource(data), signal);
  }

  /** A run by its id, started here or elsewhere, also on an earlier worker of the same state folder. */
  run(id: string): Run {
    return new Run(this.#client, id);
  }

  /**
   * All runs that the worker keeps, those of earlier workers of its state folder too, in the order in which they were started. Of those
   * that have ended, the last 1,000 of training and the last 1,000 of sampling are kept, each with at most 512 MiB of events; interrupted
   * training runs are kept until they are deleted.
   */
  async runs(options: CallOptions = {}): Promise<RunInfo[]> {
    const { signal, timeoutMs } = check(callOptions, options);
    const client = this.#client.within(timeoutMs);
    const { runs } = await client.call(RunsService.listRuns, {}, { signal });
    return runs.map(fromRun);
  }

  /**
   * Removes a run that is not under way: its log and its metrics. Its checkpoints stay (`deleteCheckpoint`).
   *
   * @throws LadError `not-found`, `invalid-state` while it is under way, `storage`
   */
  async deleteRun(id: string, options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    await this.#client.within(timeoutMs).call(RunsService.deleteRun, { runId: id }, { signal });
  }

  /** The checkpoints in the worker's store, by their names: the latest of each, of any base. `base.loadCheckpoint` loads one. */
  async checkpoints(options: CallOptions = {}): Promise<StoredCheckpoint[]> {
    const { signal, timeoutMs } = check(callOptions, options);
    const client = this.#client.within(timeoutMs);
    const { checkpoints } = await client.call(AdaptersService.listCheckpoints, {}, { signal });
    return checkpoints.map(fromCheckpoint);
  }

  /**
   * Removes a checkpoint from the worker's store, whichever adapter wrote it; its name is then free.
   *
   * @throws LadError `not-found`, `invalid-state` while a run writes under that name
   */
  async deleteCheckpoint(name: string, options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs } = check(callOptions, options);
    const request = { name: check(checkpointName, name, "name") };
    await this.#client.within(timeoutMs).call(AdaptersService.deleteCheckpoint, request, { signal });
  }

  /**
   * Ends the connection, and the worker if `start` started it; the worker first finishes its step and writes checkpoints. On a
   * worker that already ran, cancels the runs whose events are being read, unless they are detached.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (!this.#worker.isOwn) await this.#client.leave();
    this.#client.close();
    await this.#worker.stop();
  }
}

async function infoOf(client: Client, signal: AbortSignal | undefined): Promise<WorkerInfo> {
  return fromInfo(await client.call(WorkerService.getInfo, {}, { signal }));
}

async function startWorker(started: ReturnType<typeof checkRuntime>, signal: AbortSignal): Promise<Worker> {
  switch (started.kind) {
    case "local":
      return startWorkerProcess({ onWarning: emitWarning, ...started.options });
    case "container":
      return startWorkerContainer({ ...started.options, signal });
    case "remote":
      return remoteWorker(started.options);
  }
}

/** A worker that already runs. Its end cannot be observed: it is only ever unreachable. */
function remoteWorker({ address, token }: { address: string; token: string }): Worker {
  const left = new AbortController();
  return {
    address,
    token,
    lost: new AbortController().signal,
    log: new WorkerLog(),
    pid: undefined,
    stateFolder: undefined,
    isOwn: false,
    attach: (transport) => keepLease(transport, left.signal),
    stop: async () => left.abort(),
  };
}

/** The error of a start for the reason why the worker did not become ready. */
function startError(
  error: unknown,
  worker: Worker,
  { startTimeoutMs, isLate }: { startTimeoutMs: number; isLate: boolean },
): unknown {
  const { reason } = worker.lost;
  if (reason instanceof WorkerError) {
    const { exitCode, signal, log } = reason;
    const how = exitCode === undefined ? (signal ? `signal ${signal}` : "unasked") : `exit code ${exitCode}`;
    return new WorkerError("worker-start-failed", `The worker ended while it was starting (${how}).`, {
      exitCode,
      signal,
      log,
      remedy:
        log.length > 0 ? undefined : "It wrote nothing: is it Python? `npx lad setup` makes the environment.",
      cause: reason,
    });
  }
  if (isLadError(reason)) return reason;
  if (!isLate || !isLadError(error, "cancelled")) return error;
  const log = worker.log.tail();
  const text = `The worker at ${worker.address} did not answer within ${startTimeoutMs} ms.`;
  const remedy = "Give a longer startTimeoutMs, or check that a worker runs there.";
  if (log.length > 0) return new WorkerError("worker-start-failed", text, { log, remedy, cause: error });
  return new LadError("timeout", text, {
    option: "startTimeoutMs",
    value: startTimeoutMs,
    remedy,
    cause: error,
  });
}
