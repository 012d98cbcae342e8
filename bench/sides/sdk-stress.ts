/** A worker under `stress`, for a while at a time. */
import { join } from "node:path";
import { type Adapter, jsonl, Runtime } from "../../sdk/src/index.js";
import type { Measurement } from "../harness/side.js";
import { resident } from "./resident.js";
import type { Inputs } from "./sdk-runs.js";
import { type SdkSide, secondsSince, serve } from "./serve.js";
import { stress } from "./stress.js";

/** What the figure `stress` loads its side with. */
export interface StressLoad {
  readonly base: string;
  readonly threads: number;
  readonly scratch: string;
  readonly runs: number;
}

class SdkStress implements SdkSide {
  #runtime: Runtime | undefined;
  #adapters: Adapter[] = [];
  #inputs: Inputs | undefined;

  async load(request: object): Promise<object> {
    const { base: name, threads, scratch, runs } = request as StressLoad;
    this.#runtime = await Runtime.start({ threads, stateFolder: join(scratch, "worker") });
    const base = await this.#runtime.loadBase(name);
    for (let seed = 0; seed < runs; seed++) this.#adapters.push(await base.createAdapter({ rank: 8, seed }));
    const { parameterCount, vocabSize, maskTokenId, eosTokenId } = base.info;
    return { parameters: parameterCount, vocabSize, maskTokenId, eosTokenId };
  }

  async prepare(inputs: object): Promise<void> {
    this.#inputs = inputs as Inputs;
  }

  async run(request: object): Promise<Measurement> {
    const { seconds, clients } = request as { seconds: number; clients: number };
    const [runtime, inputs] = [this.#runtime, this.#inputs];
    if (runtime === undefined || inputs === undefined) throw new Error("Load and prepare first.");
    const { data, window, steps, batchSize } = inputs;
    const training = { data: jsonl(data), windowTokens: window, steps, batchSize, warmupSteps: 0 };
    const started = performance.now();
    const stood = await stress({ runtime, adapters: this.#adapters, training, clients, seconds });
    const residentBytes = await resident(runtime.workerPid);
    return { seconds: secondsSince(started), ...stood, ...(residentBytes && { residentBytes }) };
  }

  async close(): Promise<void> {
    await this.#runtime?.close();
  }
}

if (import.meta.filename === process.argv[1]) await serve(new SdkStress());
