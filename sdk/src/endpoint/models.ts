/** The models that clients name: bases, adapters on them, and aliases. */
import { guessOf } from "../checks/nearest.js";
import { isLadError, LadError } from "../errors.js";
import { type Adapter, type Base, type Model, type Recipe, type Runtime, recipeFor } from "../index.js";

/** An adapter in a folder of this machine, which clients name `base:name`. */
export interface ServedAdapter {
  /** What stands behind the base's name and a colon. */
  readonly name: string;
  /** The name of the base that it was trained on. */
  readonly baseName: string;
  /** In PEFT's format. */
  readonly folder: string;
  /** When it was written; a later one is read anew. */
  readonly saved: Date;
}

/** A model that a request uses; disposed of when it no longer does. */
export interface UsedModel extends Disposable {
  readonly base: Base;
  readonly model: Model;
  /** Undefined: the base alone. */
  readonly adapter: Adapter | undefined;
  readonly recipe: Recipe;
}

/** A name that clients may give. */
export interface ListedModel {
  readonly id: string;
  readonly created: Date;
}

/** What {@link Models} are made of. */
export interface ModelsOptions {
  readonly bases: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
  readonly adapters: () => Promise<readonly ServedAdapter[]>;
}

/** An adapter that is loaded, until it is replaced and nobody uses it. */
interface Loaded {
  readonly saved: number;
  readonly adapter: Promise<Adapter>;
  uses: number;
  isReplaced: boolean;
}

/** Loads what is asked for once, and keeps it. */
export class Models {
  readonly #runtime: Runtime;
  readonly #options: ModelsOptions;
  readonly #bases = new Map<string, Promise<Base>>();
  readonly #adapters = new Map<string, Loaded>();
  readonly #begun = new Date();

  constructor(runtime: Runtime, options: ModelsOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  /** Every name, aliases first. */
  async list(): Promise<ListedModel[]> {
    const adapters = await this.#options.adapters();
    const created = this.#begun;
    return [
      ...Object.keys(this.#options.aliases).map((id) => ({ id, created })),
      ...(await this.#baseNames(adapters)).map((id) => ({ id, created })),
      ...adapters.map(({ baseName, name, saved }) => ({ id: `${baseName}:${name}`, created: saved })),
    ];
  }

  /** @throws LadError `not-found` for an alias on a base that is not served; its adapter may still come */
  async checkAliases(): Promise<void> {
    const aliases = Object.entries(this.#options.aliases);
    if (aliases.length === 0) return;
    const bases = await this.#baseNames(await this.#options.adapters());
    for (const [alias, target] of aliases) {
      const isServed = bases.some((base) => target === base || target.startsWith(`${base}:`));
      if (!isServed) throw await this.#unknown(target, `aliases.${alias}`);
    }
  }

  /**
   * The model of that name, loaded.
   *
   * @throws LadError `not-found` with the nearest name, or what loading it throws
   */
  async use(name: string): Promise<UsedModel> {
    const { aliases } = this.#options;
    const asked = Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
    if (this.#options.bases.includes(asked) || this.#bases.has(asked)) return this.#alone(asked);
    const adapters = await this.#options.adapters();
    const bases = await this.#baseNames(adapters);
    if (bases.includes(asked)) return this.#alone(asked);
    const saved = adapters.find((one) => `${one.baseName}:${one.name}` === asked);
    if (saved !== undefined) return this.#saved(asked, saved);
    const [baseName, id] = splitAtLast(asked);
    if (!bases.includes(baseName) || id === "") throw await this.#unknown(name);
    return this.#resident(baseName, id, name);
  }

  /** Forgets what the worker no longer has, so that it is loaded anew. */
  forget({ base, adapter }: Pick<UsedModel, "base" | "adapter">): void {
    for (const [name, loaded] of this.#adapters) {
      void loaded.adapter.then((one) => one === adapter && this.#adapters.delete(name)).catch(() => {});
    }
    if (adapter === undefined) this.#bases.delete(base.name);
  }

  /** Drops every adapter that was loaded here, as far as the worker still answers. */
  async close(): Promise<void> {
    const loaded = [...this.#adapters.values()];
    this.#adapters.clear();
    await Promise.all(loaded.map(({ adapter }) => dropQuietly(adapter)));
  }

  async #baseNames(adapters: readonly ServedAdapter[]): Promise<string[]> {
    const { bases } = await this.#runtime.info();
    const named = [...this.#options.bases, ...bases.map(({ name }) => name)];
    return [...new Set([...named, ...adapters.map(({ baseName }) => baseName)])];
  }

  async #alone(name: string): Promise<UsedModel> {
    const base = await this.#base(name);
    return { base, model: base, adapter: undefined, recipe: recipeFor(name), [Symbol.dispose]() {} };
  }

  #base(name: string): Promise<Base> {
    const known = this.#bases.get(name);
    if (known !== undefined) return known;
    const loading = this.#runtime.loadBase(name, recipeFor(name).base);
    this.#bases.set(name, loading);
    loading.catch(() => this.#bases.delete(name));
    return loading;
  }

  async #saved(name: string, { baseName, folder, saved }: ServedAdapter): Promise<UsedModel> {
    const base = await this.#base(baseName);
    const before = this.#adapters.get(name);
    const isNew = before?.saved !== saved.getTime();
    const loaded = !isNew
      ? before
      : { saved: saved.getTime(), adapter: base.loadAdapter(folder), uses: 0, isReplaced: false };
    if (isNew) {
      this.#adapters.set(name, loaded);
      loaded.adapter.catch(() => this.#adapters.get(name) === loaded && this.#adapters.delete(name));
      if (before !== undefined) this.#replace(before);
    }
    loaded.uses++;
    try {
      const adapter = await loaded.adapter;
      return { ...used(base, adapter), [Symbol.dispose]: () => this.#leave(loaded) };
    } catch (error) {
      this.#leave(loaded);
      throw error;
    }
  }

  /** An adapter that another program has in the worker, by its id. */
  async #resident(baseName: string, id: string, name: string): Promise<UsedModel> {
    try {
      const adapter = await this.#runtime.adapter(id);
      if (adapter.base.name !== baseName) throw await this.#unknown(name);
      return { ...used(await this.#base(baseName), adapter), [Symbol.dispose]() {} };
    } catch (error) {
      throw isLadError(error, "not-found") ? await this.#unknown(name) : error;
    }
  }

  #replace(loaded: Loaded): void {
    loaded.isReplaced = true;
    if (loaded.uses === 0) void dropQuietly(loaded.adapter);
  }

  #leave(loaded: Loaded): void {
    loaded.uses--;
    if (loaded.isReplaced && loaded.uses === 0) void dropQuietly(loaded.adapter);
  }

  async #unknown(name: string, option = "model"): Promise<LadError> {
    const names = (await this.list()).map(({ id }) => id);
    return new LadError("not-found", `There is no model ${name}.`, {
      option,
      value: name,
      remedy: `${guessOf(name, names)}There are ${names.join(", ")}.`,
    });
  }
}

function used(base: Base, adapter: Adapter) {
  return { base, model: adapter, adapter, recipe: recipeFor(base.name) };
}

function splitAtLast(name: string): [string, string] {
  const at = name.lastIndexOf(":");
  return at < 0 ? [name, ""] : [name.slice(0, at), name.slice(at + 1)];
}

async function dropQuietly(loading: Promise<Adapter>): Promise<void> {
  try {
    await (await loading).drop();
  } catch (error) {
    if (!isLadError(error)) throw error;
  }
}
