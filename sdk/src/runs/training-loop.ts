/**
 * A training run written with the primitives. It does the same as the worker's own run, step for step and number for number, except
 * that the caller may supply the noise. `train({ noise: customNoise(…) })` uses it, and your own loop may start from it.
 */

import { cancelled, invalidOption, LadError } from "../errors.js";
import type { FrozenBase } from "../frozen-base.js";
import { batches as requests } from "../grpc/batches.js";
import { batches, type Draw } from "../method/data-order.js";
import { learningRate } from "../method/learning-rate.js";
import { lossReport } from "../method/loss-report.js";
import { type ShownExample, targeted } from "../method/loss-targets.js";
import { applyNoise } from "../method/noise.js";
import type { PreparedExample } from "../method/prepared-example.js";
import { Purpose, uniforms } from "../method/random.js";
import { randomSplit } from "../method/random-split.js";
import type { ValidationResult } from "../model.js";
import type { ForwardBackwardOptions, OptimStepOptions, SequencesOptions } from "../options/primitives.js";
import {
  type CallOptions,
  type CheckedTraining,
  type CheckpointOptions,
  type CustomNoise,
  checkTraining,
  type SaveOptions,
  scheduleFor,
  type TrainingOptions,
  type ValidateOptions,
} from "../options.js";
import { emitWarning } from "../warnings.js";
import type {
  AdapterInfo,
  BaseInfo,
  LossReport,
  TrainingEvent,
  TrainingFinished,
  WindowReport,
} from "../wire.js";
import { LoopValidations, windowOf } from "./loop-validations.js";
import { type Drafter, type Moment, type NoisedStep, withDrafts } from "./own-drafts.js";
import { Saving } from "./saving.js";
import type { ForwardBackwardResult, OptimStepResult } from "./steps.js";
import { countSteps, type TrainingRun } from "./training.js";

/** The methods of an adapter that the loop uses. */
export interface TrainableAdapter extends Drafter {
  /** The base that it belongs to. */
  readonly base: FrozenBase;
  /** Reads the adapter's present state from the worker. */
  refresh(options: CallOptions): Promise<AdapterInfo>;
  /** Adds gradients. */
  forwardBackward(options: ForwardBackwardOptions): Promise<ForwardBackwardResult>;
  /** Makes one optimizer step with the accumulated gradients. */
  optimStep(options: OptimStepOptions): Promise<OptimStepResult>;
  /** Computes the losses on a data set. */
  validate(options: ValidateOptions): Promise<ValidationResult>;
  /** Writes adapter and optimizer to the worker's store. */
  checkpoint(name: string, options: CheckpointOptions): Promise<string>;
  /** Writes the adapter to a folder of this machine. */
  save(folder: string, options: SaveOptions): Promise<void>;
}

/**
 * Trains an adapter from this process with `forwardBackward` and `optimStep`, and with built-in or custom noise.
 *
 * The worker validates with the run's noise, or with `lad` noise if the run's is custom.
 *
 * @throws LadError as `adapter.train`
 */
export function trainingLoop(
  adapter: TrainableAdapter,
  options: TrainingOptions,
): AsyncGenerator<TrainingEvent, void, undefined> {
  return loop(adapter, checkTraining(options, emitWarning), emitWarning);
}

/** A training run whose loop is in this process. */
export class LoopTraining implements TrainingRun {
  readonly runId = undefined;
  readonly #stop = new AbortController();
  readonly #open: () => AsyncGenerator<TrainingEvent, void, undefined>;
  #step: Promise<unknown> | undefined;
  #result: Promise<TrainingFinished> | undefined;
  #end: TrainingEvent | undefined;
  #failure: unknown;
  #opened = false;

  constructor(adapter: TrainableAdapter, options: CheckedTraining, warn: (message: string) => void) {
    const { signal } = options;
    const stop = this.#stop.signal;
    const both = signal === undefined ? stop : AbortSignal.any([signal, stop]);
    this.#open = () => loop(adapter, { ...options, signal: both }, warn);
  }

  /** @throws LadError `invalid-state` if the loop has been read before */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingEvent, void, undefined> {
    if (this.#opened) {
      throw new LadError("invalid-state", "A training loop that runs in this process is read once.");
    }
    this.#opened = true;
    try {
      for await (const event of this.#steps()) {
        this.#end = event;
        yield event;
      }
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async start(): Promise<string> {
    throw notOnTheWorker();
  }

  pause(): Promise<void> {
    return Promise.reject(notOnTheWorker());
  }

  resume(): Promise<void> {
    return Promise.reject(notOnTheWorker());
  }

  result(): Promise<TrainingFinished> {
    this.#result ??= this.#finish();
    return this.#result;
  }

  async cancel(): Promise<void> {
    this.#stop.abort();
    await this.#step?.catch(() => {}); // its reader gets the error
  }

  /** Yields the loop's events, and keeps the current step's promise, for which `cancel` waits. */
  async *#steps(): AsyncGenerator<TrainingEvent, void, undefined> {
    const events = this.#open();
    try {
      while (true) {
        const step = events.next();
        this.#step = step;
        const { done, value } = await step;
        if (done) return;
        yield value;
      }
    } finally {
      await events.return();
    }
  }

  async #finish(): Promise<TrainingFinished> {
    if (!this.#opened) for await (const _ of this);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#end?.type !== "finished") throw cancelled("The training loop", this.#stop.signal);
    return this.#end;
  }
}

function notOnTheWorker(): LadError {
  return new LadError(
    "invalid-state",
    "A training loop that runs in this process has no run on the worker.",
    {
      remedy: "Iterate over it, or await its result().",
    },
  );
}

async function* loop(
  adapter: TrainableAdapter,
  options: CheckedTraining,
  warn: (message: string) => void,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const { signal, checkpoint } = options;
  const saving = new Saving(adapter, options);
  await saving.check();
  let overwrite = checkpoint?.overwrite ?? false;
  checkForLoop(options, warn);
  const { examples, report } = await fetchExamples(adapter, options);
  const steps = await countSteps(options, async () => report);
  const schedule = scheduleFor(options.schedule, steps, warn);
  const validations = options.validation && new LoopValidations(adapter, options, options.validation);
  const { parameterCount } = await adapter.refresh({ signal });
  const first = await validations?.compute();
  yield {
    type: "started",
    data: report,
    validationData: first?.data,
    trainableParameters: parameterCount,
    accountedBytes: accountedBytes(parameterCount, options),
    fromStep: 0,
    warnings: [],
  };
  if (first !== undefined) yield* validations?.tell(0, first) ?? [];
  let last: LossReport | undefined;
  let seconds = 0;
  let tokens = 0;
  const source = batches(options.seed, examples.length, options.batchSize);
  let step = 0;
  while (step < steps && !validations?.isExhausted) {
    if (signal?.aborted) throw cancelled("The training loop", signal);
    const started = performance.now();
    step++;
    const batch = source.next().value as Draw[];
    const moment = { step: step - 1, steps };
    const rate = learningRate(schedule, moment.step, steps);
    const { report: lossOfStep, gradientNorm } = await takeStep(adapter, options, examples, {
      batch,
      rate,
      moment,
    });
    const took = (performance.now() - started) / 1000;
    last = lossOfStep;
    seconds += took;
    tokens += last.tokens;
    yield {
      type: "step",
      step,
      epoch: (step * options.batchSize) / examples.length,
      report: last,
      gradientNorm,
      learningRate: rate,
      seconds: took,
      tokensPerSecond: last.tokens / took,
    };
    if (validations !== undefined && isDue(step, steps, options.validation?.everySteps)) {
      yield* validations.tell(step, await validations.compute());
    }
    const end = validations?.isExhausted ? step : steps;
    if (checkpoint !== undefined && isDue(step, end, checkpoint.everySteps)) {
      await adapter.checkpoint(checkpoint.name, { overwrite, signal });
      overwrite = false;
      yield { type: "checkpoint", step, name: checkpoint.name };
    }
  }
  await saving.write();
  yield {
    type: "finished",
    steps: step,
    report: last,
    validation: validations?.last,
    seconds,
    tokensPerSecond: tokens / seconds,
    best: validations?.best,
    stopped: step === steps ? "steps" : "early",
  };
}

/** The bytes of weights, gradients and optimizer state in float32: AdamW has two numbers for each weight, Muon one. */
function accountedBytes(parameterCount: number, { optimizer }: CheckedTraining): number {
  return 4 * parameterCount * (2 + (optimizer.kind === "adamw" ? 2 : 1));
}

/**
 * Computes one batch: noise, gradient, optimizer step. It takes no signal: if it ended before the optimizer step, the next step
 * would include this gradient.
 */
async function takeStep(
  adapter: TrainableAdapter,
  options: CheckedTraining,
  examples: readonly PreparedExample[],
  { batch, rate, moment }: { batch: readonly Draw[]; rate: number; moment: Moment },
): Promise<{ report: LossReport; gradientNorm: number }> {
  const { optimizer, maxGradientNorm, loss, attention, microBatchTokens, gradientCheckpointing } = options;
  const clean = batch.map(({ row, epoch }) => seen(examples[row] as PreparedExample, epoch, options));
  const shown = await shownExamples(adapter, options, { batch, clean, moment });
  const sequences = targeted(clean, shown, loss);
  const how = {
    attention,
    microBatchTokens,
    gradientCheckpointing,
    cachePrompts: options.context === "prompt",
  };
  const { loss: sum, ce } = await addGradients(adapter, sequences, how);
  const step = await adapter.optimStep({ optimizer, learningRate: rate, maxGradientNorm });
  const report = lossReport({ examples: clean, sequences, loss: sum, ce });
  return { report, gradientNorm: step.gradientNorm };
}

/** The most bytes of a token in a message: its id, its target and its weight. */
const TOKEN_BYTES = 5 + 5 + 4;
/** The bytes of a sequence in addition to its tokens: tags, lengths, and the end of its prompt. */
const SEQUENCE_BYTES = 32;

/** Computes `forwardBackward` for a batch of any size in as few calls as possible. */
async function addGradients(
  adapter: TrainableAdapter,
  sequences: ReturnType<typeof targeted>,
  how: Omit<SequencesOptions, "sequences">,
): Promise<{ loss: number; ce: Float32Array }> {
  const ce = new Float32Array(sequences.reduce((tokens, { ids }) => tokens + ids.length, 0));
  let loss = 0;
  let filled = 0;
  for (const part of requests(sequences, ({ ids }) => SEQUENCE_BYTES + TOKEN_BYTES * ids.length)) {
    const computed = await adapter.forwardBackward({ sequences: part, ...how });
    loss += computed.loss;
    ce.set(computed.ce, filled);
    filled += computed.ce.length;
  }
  return { loss, ce };
}

/** The example in the run's context. */
function seen(
  example: PreparedExample,
  epoch: number,
  { context, canvasTokens, seed }: CheckedTraining,
): PreparedExample {
  return context === "random-split" ? randomSplit(example, { seed, epoch, canvasTokens }) : example;
}

/** What the noise makes of the examples, and the model itself where it asks for that. */
async function shownExamples(
  adapter: TrainableAdapter,
  { noise, seed, attention }: CheckedTraining,
  { batch, clean, moment }: Pick<NoisedStep, "batch" | "clean" | "moment">,
): Promise<ShownExample[]> {
  const { info } = adapter.base;
  const epochs = batch.map(({ epoch }) => epoch);
  if (noise.kind === "custom") {
    return clean.map((example, i) => corrupted(example, noise, { seed, epoch: epochs[i] ?? 0, info }));
  }
  const { maskTokenId, vocabSize } = info;
  const noised = clean.map((example, i) =>
    applyNoise(example, noise, { seed, epoch: epochs[i] ?? 0, maskTokenId, vocabSize }),
  );
  return withDrafts(adapter, { noise, seed, attention, moment, batch, clean, noised });
}

function corrupted(
  example: PreparedExample,
  noise: CustomNoise,
  { seed, epoch, info }: { seed: bigint; epoch: number; info: BaseInfo },
): ShownExample {
  const { maskTokenId, eosTokenId, vocabSize } = info;
  const draw = {
    seed,
    epoch,
    maskTokenId,
    eosTokenId,
    vocabSize,
    uniforms: (count: number, lane = 0) => uniforms(seed, Purpose.noise, example.id, epoch, count, lane),
  };
  return checkCorruption(noise.corrupt(example, draw), example, vocabSize);
}

function checkCorruption(
  made: ReturnType<CustomNoise["corrupt"]>,
  example: PreparedExample,
  vocabSize: number,
): ShownExample {
  const remedy = "Return { ids } with one token id for each of the example's.";
  const count = made?.ids?.length;
  if (count !== example.ids.length) {
    const problem = `it gave ${count ?? "no"} ids for an example of ${example.ids.length}`;
    throw invalidOption("noise", "customNoise", problem, remedy);
  }
  for (let i = 0; i < count; i++) {
    const id = made.ids[i] as number;
    if (Number.isInteger(id) && id >= 0 && id < vocabSize) continue;
    throw invalidOption(
      "noise",
      "customNoise",
      `it gave ${id} at position ${i}, which is no token id`,
      remedy,
    );
  }
  return made;
}

/** Whether something is due after a step: after every `every` steps and after the last; 0: only after the last. */
function isDue(step: number, steps: number, every = 0): boolean {
  return step === steps || (every > 0 && step % every === 0);
}

async function fetchExamples(
  adapter: TrainableAdapter,
  options: CheckedTraining,
): Promise<{ examples: PreparedExample[]; report: WindowReport }> {
  const { signal } = options;
  const window = { ...windowOf(options), signal };
  const dataset = await adapter.base.dataset(options.data, { signal });
  const report = await adapter.base.prepare(dataset, window);
  const examples: PreparedExample[] = [];
  for await (const example of adapter.base.examples(dataset, window)) examples.push(example);
  return { examples, report };
}

function checkForLoop(
  { checkpoint, validation, detached, tensorboard }: CheckedTraining,
  warn: (message: string) => void,
): void {
  if (checkpoint?.resume) {
    throw invalidOption(
      "checkpoint.resume",
      true,
      "a loop in this process begins at its first step",
      "Use built-in noise, or load the checkpoint with base.loadCheckpoint and train on.",
    );
  }
  if (validation?.restoreBest) {
    throw invalidOption(
      "validation.restoreBest",
      true,
      "a loop in this process cannot set its adapter back",
      "Use built-in noise, or load the best with base.loadCheckpoint(result.best.checkpoint).",
    );
  }
  if (detached) warn("detached is ignored: the loop of custom noise runs in this process.");
  if (tensorboard) warn("tensorboard is ignored: the loop of custom noise runs in this process.");
}
