/** Bases, questions and adapters of a reproduction, each loaded when it is first needed. */
import { join } from "node:path";
import type { Adapter } from "../../adapter.js";
import type { Base } from "../../base.js";
import { tinyData } from "../../data/tiny-data.js";
import type { Question } from "../../frozen-base.js";
import { mixture } from "../../options.js";
import type { Runtime } from "../../runtime.js";
import type { ReproductionData } from "../options.js";
import type { QuestionSet } from "../pieces.js";
import { recipeOf, type Setting, type Variant } from "../setting.js";

/** Where pieces are computed. One adapter is resident at a time. */
export class Lab implements AsyncDisposable {
  readonly setting: Setting;
  readonly data: ReproductionData;
  readonly #runtime: Runtime;
  readonly #bases = new Map<string, Promise<Base>>();
  readonly #questions = new Map<string, Promise<readonly Question[]>>();
  #resident: { readonly variant: Variant; readonly adapter: Adapter } | undefined;

  constructor(runtime: Runtime, setting: Setting) {
    this.#runtime = runtime;
    this.setting = setting;
    this.data = setting.data ?? shippedData(setting.seed);
  }

  base(name: string): Promise<Base> {
    return found(this.#bases, name, () =>
      this.#runtime.loadBase(name, this.setting.load ?? recipeOf(this.setting, name).base),
    );
  }

  questions(base: Base, set: QuestionSet): Promise<readonly Question[]> {
    const { windowTokens, maxPromptTokens = 0 } = recipeOf(this.setting, base.name).training;
    return found(this.#questions, `${base.name} ${set}`, () =>
      base.questions(this.data[set], { windowTokens, maxPromptTokens, limit: this.setting.questions }),
    );
  }

  /** The trained adapter of a variant. */
  async adapter(variant: Variant, signal: AbortSignal): Promise<Adapter> {
    if (this.#resident?.variant.name === variant.name) return this.#resident.adapter;
    const base = await this.base(variant.base);
    return this.keep(variant, await base.loadAdapter(this.folderOf(variant), { signal }));
  }

  /** Makes a variant's adapter the resident one; drops the one before. */
  async keep(variant: Variant, adapter: Adapter): Promise<Adapter> {
    await this.#resident?.adapter.drop();
    this.#resident = { variant, adapter };
    return adapter;
  }

  /** Where a variant's adapter is saved. */
  folderOf({ name }: Variant): string {
    return join(this.setting.folder, "adapters", fileName(name));
  }

  /** Where the results of a benchmark are kept, item by item. */
  benchmarkFolderOf({ name }: Variant, benchmark: string): string {
    return join(this.setting.folder, "benchmarks", `${fileName(name)}-${benchmark}`);
  }

  /** Deletes a checkpoint in the worker's store. */
  forgetCheckpoint(name: string): Promise<void> {
    return this.#runtime.deleteCheckpoint(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resident?.adapter[Symbol.asyncDispose]();
  }
}

/** The shipped bases' questions: three that are looked up to one that is computed. */
function shippedData(seed: number): ReproductionData {
  const sources = {
    easy: { data: tinyData.train(), share: 0.75 },
    arithmetic: { data: tinyData.stories.train(), share: 0.25 },
  };
  return {
    train: mixture({ seed, sources }),
    validation: tinyData.heldout(),
    easy: tinyData.heldout(),
    arithmetic: tinyData.stories.heldout(),
  };
}

function fileName(variant: string): string {
  return variant.replaceAll(/[^A-Za-z0-9.]+/g, "-");
}

function found<Value>(
  kept: Map<string, Promise<Value>>,
  key: string,
  load: () => Promise<Value>,
): Promise<Value> {
  const loading = kept.get(key) ?? load();
  kept.set(key, loading);
  return loading;
}
