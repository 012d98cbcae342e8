/** Starting a worker through the SDK and loading a base, from nothing each time. */
import { join } from "node:path";
import { Runtime } from "../../sdk/src/index.js";
import type { Measurement } from "../harness/side.js";
import { type SdkSide, secondsSince, serve } from "./serve.js";

class SdkStartup implements SdkSide {
  #base = "";
  #threads = 1;
  #stateFolder = "";

  async load(request: object): Promise<object> {
    const { base, threads, scratch } = request as { base: string; threads: number; scratch: string };
    this.#base = base;
    this.#threads = threads;
    this.#stateFolder = join(scratch, "worker");
    return {};
  }

  async prepare(): Promise<void> {} // there is nothing to compute with

  async run(): Promise<Measurement> {
    const started = performance.now();
    await using runtime = await Runtime.start({ threads: this.#threads, stateFolder: this.#stateFolder });
    const seconds = secondsSince(started);
    const ready = performance.now();
    await runtime.loadBase(this.#base);
    return { seconds, loadSeconds: secondsSince(ready) };
  }

  async close(): Promise<void> {} // every run has ended its worker
}

await serve(new SdkStartup());
