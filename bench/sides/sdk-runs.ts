/** Training and denoising through the SDK and a real worker, every event followed, as a user's program does. */
import { join } from "node:path";
import {
  type Adapter,
  jsonl,
  Runtime,
  type SampleOptions,
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
    const { what } = request as { what: "training" | "sampling" };
    if (this.#adapter === undefined || this.#inputs === undefined) throw new Error("Load and prepare first.");
    return what === "training" ? train(this.#adapter, this.#inputs) : sample(this.#adapter, this.#inputs);
  }

  async close(): Promise<void> {
    await this.#runtime?.close();
  }
}

async function train(adapter: Adapter, inputs: Inputs): Promise<Measurement> {
  const { data, window, learningRate, steps, batchSize, seed } = inputs;
  const options: TrainingOptions = {
    data: jsonl(data),
    windowTokens: window,
    learningRate,
    warmupSteps: 0,
    decay: "constant",
    steps,
    batchSize,
    seed,
  };
  const started = performance.now();
  const run = adapter.train(options);
  for await (const _ of run); // a program draws its progress here
  const { report } = await run.result();
  return { seconds: secondsSince(started), losses: report === undefined ? [] : [report.loss] };
}

async function sample(adapter: Adapter, inputs: Inputs): Promise<Measurement> {
  const { prompt, answerTokens, iterations, seed } = inputs;
  const options: SampleOptions = {
    ids: [...prompt],
    mode: "refine",
    answerTokens,
    iterations,
    seed,
    earlyStop: false,
  };
  const started = performance.now();
  const run = adapter.sample(options);
  for await (const _ of run); // a program draws its canvas here
  const { canvasIds } = await run.result();
  return { seconds: secondsSince(started), answers: [canvasIds] };
}

if (import.meta.filename === process.argv[1]) await serve(new SdkRuns());
