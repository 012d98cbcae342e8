/** Training and denoising through the SDK and a real worker, every event followed, as a user's program does. */
import { join } from "node:path";
import {
  type Adapter,
  jsonl,
  Runtime,
  refine,
  type SampleOptions,
  type TrainingEvent,
  type TrainingOptions,
} from "../../sdk/src/index.js";
import type { Measurement } from "../harness/side.js";
import { type SdkSide, secondsSince, serve } from "./serve.js";

/** What the figure `overhead` loads its sides with. */
export interface LoadRequest {
  readonly base: string;
  readonly threads: number;
  readonly scratch: string;
  readonly rank: number;
  readonly targets: readonly string[];
  readonly seed: number;
}

/** What both sides compute. */
export interface Inputs {
  /** A file of JSON lines. */
  readonly data: string;
  readonly window: number;
  readonly learningRate: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly prompt: readonly number[];
  readonly answerTokens: number;
  readonly iterations: number;
}

/** What the figures `latency` and `neighbour` ask for. */
interface LatencyRequest {
  readonly what: "latency" | "neighbour";
  readonly requests: number;
  readonly busy: boolean;
}

class SdkRuns implements SdkSide {
  #runtime: Runtime | undefined;
  #adapter: Adapter | undefined;
  #inputs: Inputs | undefined;

  async load(request: object): Promise<object> {
    const { base: name, threads, scratch, rank, targets, seed } = request as LoadRequest;
    this.#runtime = await Runtime.start({ threads, stateFolder: join(scratch, "worker") });
    const base = await this.#runtime.loadBase(name);
    this.#adapter = await base.createAdapter({ rank, targets: [...targets], seed });
    const { parameterCount, vocabSize, maskTokenId, eosTokenId } = base.info;
    return { parameters: parameterCount, vocabSize, maskTokenId, eosTokenId };
  }

  async prepare(inputs: object): Promise<void> {
    this.#inputs = inputs as Inputs;
  }

  run(request: object): Promise<Measurement> {
    const asked = request as { what: "training" } | { what: "sampling" } | LatencyRequest;
    if (this.#adapter === undefined || this.#inputs === undefined) throw new Error("Load and prepare first.");
    if (asked.what === "training") return train(this.#adapter, this.#inputs);
    if (asked.what === "sampling") return sample(this.#adapter, this.#inputs);
    return answerTimes(this.#adapter, this.#inputs, asked);
  }

  async close(): Promise<void> {
    await this.#runtime?.close();
  }
}

function trainingOf(inputs: Inputs): TrainingOptions {
  const { data, window, learningRate, steps, batchSize, seed } = inputs;
  return {
    data: jsonl(data),
    windowTokens: window,
    learningRate,
    warmupSteps: 0,
    decay: "constant",
    steps,
    batchSize,
    seed,
  };
}

async function train(adapter: Adapter, inputs: Inputs): Promise<Measurement> {
  const started = performance.now();
  const run = adapter.train(trainingOf(inputs));
  for await (const _ of run); // a program draws its progress here
  const { report } = await run.result();
  return { seconds: secondsSince(started), losses: report === undefined ? [] : [report.loss] };
}

async function sample(adapter: Adapter, inputs: Inputs): Promise<Measurement> {
  const { prompt, answerTokens, iterations, seed } = inputs;
  const options: SampleOptions = {
    ids: [...prompt],
    policy: refine({ iterations, earlyStop: false }),
    answerTokens,
    seed,
  };
  const started = performance.now();
  const run = adapter.sample(options);
  for await (const _ of run); // a program draws its canvas here
  const { canvasIds } = await run.result();
  return { seconds: secondsSince(started), answers: [canvasIds] };
}

async function score(adapter: Adapter): Promise<Measurement> {
  const started = performance.now();
  await adapter.score({ items: [{ ids: [5, 6, 7, 8], continuation: [9, 10] }] });
  return { seconds: secondsSince(started) };
}

/** One request after another, on an idle worker or (`busy`) beside a training run of the same adapter. */
async function answerTimes(
  adapter: Adapter,
  inputs: Inputs,
  { what, requests, busy }: LatencyRequest,
): Promise<Measurement> {
  const training = busy ? adapter.train(trainingOf(inputs)) : undefined;
  await training?.start();
  const steps = stepSeconds(training);
  const latencies: number[] = [];
  const started = performance.now();
  for (let request = 0; request < requests; request++) {
    const { seconds } = await (what === "latency"
      ? sample(adapter, { ...inputs, seed: request })
      : score(adapter));
    latencies.push(seconds);
  }
  const seconds = secondsSince(started);
  await training?.cancel();
  return { seconds, latencies, stepSeconds: await steps };
}

/** What a step took on average, until the run ends. */
async function stepSeconds(training: AsyncIterable<TrainingEvent> = noEvents()): Promise<number> {
  const taken: number[] = [];
  for await (const event of training) if (event.type === "step") taken.push(event.seconds);
  return taken.reduce((sum, seconds) => sum + seconds, 0) / taken.length;
}

async function* noEvents(): AsyncGenerator<TrainingEvent> {}

if (import.meta.filename === process.argv[1]) await serve(new SdkRuns());
