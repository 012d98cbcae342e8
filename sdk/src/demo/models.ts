/** Who can be asked in the demo: the base, its saved adapters, those of runs with their milestones, and checkpoints. */
import { type Adapter, type Base, LadError, type Model, type RunInfo, type Runtime } from "../index.js";
import type { DemoModel } from "./messages.js";
import type { Milestones } from "./milestones.js";

/** An adapter that its user has kept. */
export interface SavedAdapter {
  readonly name: string;
  /** A folder of this machine in PEFT's format. */
  readonly folder: string;
}

/** Finds models by their names in requests, and loads those that are not resident, once. */
export class DemoModels {
  readonly #runtime: Runtime;
  readonly #base: Base;
  readonly #saved: () => Promise<readonly SavedAdapter[]>;
  readonly #milestones: Milestones;
  readonly #loaded = new Map<string, Promise<Adapter>>();

  /** @param saved - reads which adapters on the base are kept at the moment */
  constructor(
    runtime: Runtime,
    base: Base,
    saved: () => Promise<readonly SavedAdapter[]>,
    milestones: Milestones,
  ) {
    this.#runtime = runtime;
    this.#base = base;
    this.#saved = saved;
    this.#milestones = milestones;
  }

  /** The base, then its adapters as they were given, then those of runs, the last run first, and checkpoints. */
  async list(): Promise<DemoModel[]> {
    const resident = new Set((await this.#runtime.info()).adapters.map(({ id }) => id));
    const runs = (await trainings(this.#runtime, this.#base)).reverse();
    const checkpoints = (await this.#runtime.checkpoints()).filter(
      ({ baseName, baseRevision }) =>
        baseName === this.#base.name && baseRevision === this.#base.info.revision,
    );
    return [
      ...(await this.#saved()).map(({ name }): DemoModel => ({ id: `saved:${name}`, name, kind: "saved" })),
      ...runs
        .filter(({ adapterId }) => resident.has(adapterId))
        .flatMap(({ id, totalSteps }): DemoModel[] => [
          { id: `run:${id}`, name: `run ${shortId(id)} (${totalSteps} steps)`, kind: "run" },
          ...this.#milestones.of(id).map(
            ({ info: { steps } }): DemoModel => ({
              id: `step:${id}@${steps}`,
              name: `run ${shortId(id)}, step ${steps} of ${totalSteps}`,
              kind: "step",
            }),
          ),
        ]),
      ...checkpoints.map(
        ({ name, steps }): DemoModel => ({
          id: `checkpoint:${name}`,
          name: `checkpoint ${name} (${steps} steps)`,
          kind: "checkpoint",
        }),
      ),
      { id: "base", name: `${this.#base.name}, the base`, kind: "base" },
    ];
  }

  /**
   * The model of that name.
   *
   * @throws LadError `not-found`
   */
  async find(id: string): Promise<Model> {
    const [kind, name] = split(id);
    switch (kind) {
      case "base":
        return this.#base;
      case "saved": {
        const saved = (await this.#saved()).find((one) => one.name === name);
        if (saved === undefined) break;
        return this.#once(id, () => this.#base.loadAdapter(saved.folder));
      }
      case "step": {
        const [run = "", steps] = name.split("@");
        const snapshot = this.#milestones.of(run).find(({ info }) => info.steps === Number(steps));
        if (snapshot === undefined) break;
        return snapshot;
      }
      case "checkpoint":
        return this.#once(id, () => this.#base.loadCheckpoint(name));
      case "run":
        return this.ofRun(name);
    }
    throw new LadError("not-found", `There is no model ${id}.`, {
      option: "model",
      value: id,
      remedy: "Load the page again: it lists those that there are.",
    });
  }

  /**
   * The adapter that a run trains or has trained.
   *
   * @throws LadError `not-found`
   */
  async ofRun(id: string): Promise<Adapter> {
    return this.#runtime.adapter((await this.#runtime.run(id).info()).adapterId);
  }

  /** Drops what was loaded for the demo. */
  async close(): Promise<void> {
    const loaded = await Promise.allSettled(this.#loaded.values());
    for (const one of loaded) if (one.status === "fulfilled") await one.value[Symbol.asyncDispose]();
  }

  /** What failed to load is tried again when it is asked for again. */
  #once(id: string, load: () => Promise<Adapter>): Promise<Adapter> {
    const known = this.#loaded.get(id);
    if (known !== undefined) return known;
    const loading = load();
    this.#loaded.set(id, loading);
    loading.catch(() => this.#loaded.delete(id));
    return loading;
  }
}

/** The training runs on a base that the worker keeps, in the order in which they were started. */
export async function trainings(runtime: Runtime, base: Base): Promise<RunInfo[]> {
  return (await runtime.runs()).filter(({ kind, baseName }) => kind === "training" && baseName === base.name);
}

/** As much of a run's id as tells runs apart. */
function shortId(id: string): string {
  return id.replace(/^run-/, "").slice(0, 6);
}

function split(id: string): [kind: string, name: string] {
  const [, kind = id, name = ""] = /^([^:]*):(.*)$/s.exec(id) ?? [];
  return [kind, name];
}
