/** What a figure is measured with: the options, a scratch folder, and the processes of its sides. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pythonOfCheckout, root } from "../../sdk/tools/checkout.js";
import { KEEPING_ALLOCATOR, referenceEnvironment, workerEnvironment } from "./environment.js";
import type { BenchOptions } from "./options.js";
import { type Command, type Role, Side } from "./side.js";

/** What our sides tell of the base that they loaded. */
export interface BaseFacts {
  /** The base as a Hugging Face folder. */
  readonly folder: string;
  readonly parameters: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly maskToken: string;
  readonly maskTokenId: number;
  readonly eosTokenId: number;
  /** Folders of the adapters that were saved for the reference, in PEFT's format. */
  readonly adapters?: readonly string[];
  /** The type of its numbers, such as float32. */
  readonly dtype: string;
  /** What multiplies with each kind of its matrices and how these lie, such as `mkl out-in`; empty where nothing is chosen. */
  readonly kernels?: Readonly<Record<string, string>>;
  /** What computes. */
  readonly deviceName: string;
  readonly torch: string;
  readonly python: string;
}

export class Bench {
  readonly options: BenchOptions;
  /** A folder that goes with the bench. */
  readonly scratch: string;
  readonly #sides: Side[] = [];

  private constructor(options: BenchOptions, scratch: string) {
    this.options = options;
    this.scratch = scratch;
  }

  static async open(options: BenchOptions): Promise<Bench> {
    return new Bench(options, await mkdtemp(join(tmpdir(), "lad-bench-")));
  }

  /** What every side is loaded with. */
  get shared() {
    const { base, threads, compile, device } = this.options;
    return { base, threads, compile, device, scratch: this.scratch };
  }

  /** A side of our own in Python, with the variables that a worker has. */
  ours(role: Role, module: string, threads = this.options.threads): Side {
    return this.#python(role, `bench.sides.${module}`, workerEnvironment(threads));
  }

  /** A side of somebody else's in Python, with its own defaults. */
  reference(module: string): Side {
    const { threads, allocator } = this.options;
    const settings = allocator ? KEEPING_ALLOCATOR : {};
    return this.#python("reference", `bench.references.${module}`, {
      ...referenceEnvironment(threads),
      ...settings,
    });
  }

  /** A side of our own in TypeScript, which starts a worker through the SDK. */
  sdk(script: string): Side {
    const words = ["--import", "tsx", join(root, "bench/sides", script)];
    return this.#start("ours", { program: process.execPath, words, folder: root, environment: {} });
  }

  /** Tells of the progress, on standard error. */
  say(text: string): void {
    console.error(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sides.map((side) => side.close()));
    await rm(this.scratch, { recursive: true, force: true });
  }

  #python(role: Role, module: string, variables: Readonly<Record<string, string>>): Side {
    const { python, env } = pythonOfCheckout();
    const environment = {
      ...variables,
      PYTHONPATH: [root, ...Object.values(env)].join(delimiter),
      PYTHONDONTWRITEBYTECODE: "1", // a checkout stays as it was
      HF_HUB_OFFLINE: "1",
    };
    const words = ["-m", module];
    return this.#start(role, { program: python, words, folder: this.scratch, environment });
  }

  #start(role: Role, command: Command): Side {
    const side = new Side(role, command);
    this.#sides.push(side);
    return side;
  }
}
