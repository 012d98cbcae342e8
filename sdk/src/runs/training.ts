import type { Client } from "../client.js";
import { openDataset } from "../data/data.js";
import { warnOfSpecialTokens } from "../data/special-tokens.js";
import { LadError } from "../errors.js";
import type { Noise } from "../method/noise.js";
import { type CheckedTraining, type Dataset, scheduleFor } from "../options.js";
import {
  DataService,
  fromWindowReport,
  present,
  type RunEvent,
  type TrainingEvent,
  type TrainingFinished,
  TrainingService,
  type TrainingStarted,
  toTraining,
  toWindow,
  type WindowReport,
} from "../wire.js";
import { startingRun } from "./creating.js";
import { pauseRun, resumeRun } from "./run.js";
import { RunStream } from "./run-stream.js";
import type { Saving } from "./saving.js";

/**
 * A training run: iterate over it for its events, or await its `result()`.
 *
 * `adapter.train` makes one. The loop runs on the worker, or in this process if the noise is custom.
 */
export interface TrainingRun extends AsyncIterable<TrainingEvent> {
  /** The run's id on the worker; undefined until it has started, and for a loop in this process. */
  readonly runId: string | undefined;
  /**
   * Starts the run without following it, and returns its id, with which `runtime.run(id)` follows it from anywhere.
   *
   * @throws LadError `invalid-state` for a loop in this process
   */
  start(): Promise<string>;
  /** The run's result. Starts the run if it has not started. */
  result(): Promise<TrainingFinished>;
  /** Ends the run within one micro-step (a loop in this process: before its next step); resolves when it has ended. */
  cancel(): Promise<void>;
  /**
   * Pauses the run after its current step until it is resumed. A paused run frees as much memory as it can.
   *
   * @throws LadError `invalid-state` for a loop in this process, and for a run that has not started or has ended
   */
  pause(): Promise<void>;
  /**
   * Resumes the run. Does nothing if it is not paused.
   *
   * @throws LadError `invalid-state` as `pause`, `out-of-memory` if it no longer fits
   */
  resume(): Promise<void>;
}

/** A training run on the worker. */
export class WorkerTraining extends RunStream<TrainingEvent, TrainingFinished> implements TrainingRun {
  readonly #client: Client;
  readonly #allowSpecial: boolean;
  readonly #saving: Saving;
  #finished: TrainingFinished | undefined;

  constructor(
    client: Client,
    target: TrainingTarget,
    options: CheckedTraining,
    noise: Noise,
    saving: Saving,
  ) {
    super(client, {
      start: async (asked) => {
        await saving.check();
        return startTraining(client, target, { ...options, signal: asked.signal }, noise, asked.runId);
      },
      detached: options.detached,
      signal: options.signal,
    });
    this.#client = client;
    this.#allowSpecial = options.allowSpecial;
    this.#saving = saving;
  }

  async pause(): Promise<void> {
    await pauseRun(this.#client, this.#startedId());
  }

  async resume(): Promise<void> {
    await resumeRun(this.#client, this.#startedId());
  }

  #startedId(): string {
    if (this.runId !== undefined) return this.runId;
    throw new LadError("invalid-state", "The run has not started.", {
      remedy: "Iterate over it, or await its start().",
    });
  }

  protected async accept(event: RunEvent): Promise<TrainingEvent> {
    switch (event.type) {
      case "finished":
        this.#finished = event;
        await this.#saving.write();
        return event;
      case "started":
        this.#warnOfSpecialTokens(event);
        for (const warning of event.warnings) this.#client.warn(warning);
        return event;
      case "step":
      case "validation":
      case "checkpoint":
      case "paused":
      case "resumed":
      case "cancelled":
        return event;
      default:
        throw new LadError("internal", `The worker sent the event ${event.type} of a training run.`);
    }
  }

  #warnOfSpecialTokens({ data, validationData }: TrainingStarted): void {
    for (const report of [data, validationData]) {
      if (report !== undefined) warnOfSpecialTokens(this.#client, report, this.#allowSpecial);
    }
  }

  protected async conclude(): Promise<TrainingFinished> {
    await this.#saving.write();
    return present(this.#finished, "TrainingFinished");
  }
}

/** The adapter to train, and its base. */
export interface TrainingTarget {
  readonly baseId: string;
  readonly adapterId: string;
}

async function startTraining(
  client: Client,
  { baseId, adapterId }: TrainingTarget,
  options: CheckedTraining,
  noise: Noise,
  runId: string,
): Promise<string> {
  const { signal } = options;
  const dataset = await openDataset(client, options.data, signal, baseId);
  const validation =
    options.validation && (await openDataset(client, options.validation.data, signal, baseId));
  const steps = await countSteps(options, () => prepare(client, baseId, dataset, options, signal));
  const schedule = scheduleFor(options.schedule, steps, client.warn);
  const data = { datasetId: dataset.id, validationId: validation?.id, steps, schedule };
  const request = { adapterId, spec: toTraining(options, noise, data), runId };
  await client.endings(signal);
  const send = () => client.call(TrainingService.startTraining, request, { signal });
  return (await startingRun(client, runId, send, signal)).runId;
}

/** The number of steps: `steps`, or as many as `epochs` of the examples that fit the window need. */
export async function countSteps(
  options: CheckedTraining,
  report: () => Promise<WindowReport>,
): Promise<number> {
  const { steps, epochs = 1, batchSize } = options;
  if (steps !== undefined) return steps;
  const { kept } = await report();
  return Math.ceil((epochs * kept) / batchSize);
}

/** Renders a data set and cuts it to windows for a base; reports how many examples fit. */
export async function prepare(
  client: Client,
  baseId: string,
  dataset: Dataset,
  window: Parameters<typeof toWindow>[0],
  signal?: AbortSignal,
): Promise<WindowReport> {
  const request = { baseId, datasetId: dataset.id, window: toWindow(window) };
  const reply = await client.call(DataService.prepareDataset, request, { signal });
  const report = fromWindowReport(present(reply.report, "PrepareDatasetResponse.report"));
  warnOfSpecialTokens(client, report, window.allowSpecial);
  return report;
}
