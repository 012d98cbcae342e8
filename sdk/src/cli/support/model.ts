/** The model that a command asks: an adapter on its base, or a base alone. */
import type { Command } from "commander";
import {
  type Adapter,
  type Base,
  isLadError,
  LadError,
  type Model,
  type Recipe,
  type Runtime,
  recipeFor,
} from "../../index.js";
import { type Cli, note } from "../cli.js";
import { findAdapter, library, type NamedAdapter, NO_ADAPTER } from "./library.js";
import { loadBase } from "./loading.js";
import { type WorkerFlags, withWorker } from "./worker.js";

/** The flags that say which model. */
export interface ModelFlags {
  readonly adapter?: string;
  readonly base?: string;
}

/** The model that the flags ask for, before there is a worker. */
export interface Chosen {
  /** The adapter's files; undefined: the base alone. */
  readonly files: NamedAdapter | undefined;
  readonly baseName: string;
  readonly recipe: Recipe;
  /** Whether no flag named the adapter. */
  readonly isDefault: boolean;
  /**
   * Whether it was trained to denoise: an adapter, or a base with one in its weights, which shows when it is loaded. Else it answers token
   * after token.
   */
  readonly denoises: boolean;
}

/** A model and what it is made of. */
export interface Asked extends Chosen {
  readonly model: Model;
  readonly base: Base;
  readonly adapter: Adapter | undefined;
  /** What it is called: the adapter's name, or the base's. */
  readonly name: string;
}

/** The base of which nothing is said. */
export const DEFAULT_BASE = "tiny";

/** Whether a base is one of the small ones that come with lad, which know single questions. */
export function isShipped(base: string): boolean {
  return /^(tiny|tiny-0\.7m|tiny-5m|stub)$/.test(base);
}

/** Whether a base is one that lad names, which has no adapter in its weights. */
function isKnown(base: string): boolean {
  return isShipped(base) || base === "smollm2-135m";
}

/** Adds the flags that say which model, for `chosenModel`. */
export function withModelFlags(command: Command): Command {
  return command
    .option(
      "-a, --adapter <name>",
      `a trained adapter, or its folder; ${NO_ADAPTER}: the base alone (default: the last saved, which is then named)`,
    )
    .option(
      "-b, --base <base>",
      "stub, tiny, smollm2-135m, a hub id or a folder (default: the adapter's own)",
    );
}

/**
 * Does something with the model that the flags ask for; its adapter is then dropped, since the worker may be another's. What `check` throws
 * is told before a worker starts.
 */
export async function withModel(
  cli: Cli,
  flags: WorkerFlags & ModelFlags,
  act: (asked: Asked, runtime: Runtime) => Promise<void>,
  check: (chosen: Chosen) => void = () => {},
): Promise<void> {
  const chosen = await chosenModel(flags);
  check(chosen);
  await withWorker(cli, flags, async ({ runtime }) => {
    const asked = await loadModel(cli, runtime, chosen);
    if (chosen.isDefault) note(cli, `${whoAnswers(asked)} ${remedyOf(asked)}`);
    try {
      await act(asked, runtime);
    } finally {
      await dropQuietly(asked.adapter);
    }
  });
}

function whoAnswers({ adapter, name, base, denoises }: Asked): string {
  if (adapter !== undefined) return `${name} answers, on ${base.name}: the adapter that was saved last.`;
  if (denoises) return `${name} itself answers, with the adapter in its weights.`;
  return `${name} itself answers, token after token: there is no adapter on it.`;
}

function remedyOf({ adapter, denoises }: Asked): string {
  if (adapter === undefined) return denoises ? "`lad train` trains one beside it." : "`lad train` makes one.";
  return `--adapter takes another, --adapter ${NO_ADAPTER} the base alone.`;
}

/** Drops an adapter, as far as its worker still answers. */
export async function dropQuietly(adapter: Adapter | undefined): Promise<void> {
  await adapter?.drop().catch((error: unknown) => {
    if (!isLadError(error)) throw error;
  });
}

/** The model that the flags ask for: by default the adapter that was saved last, if there is one for the base. */
export async function chosenModel(flags: ModelFlags): Promise<Chosen> {
  const files = await adapterOf(flags);
  const baseName = flags.base ?? files?.baseName ?? (files === undefined ? DEFAULT_BASE : unknownBase(files));
  const denoises = files !== undefined || !isKnown(baseName);
  return { files, baseName, recipe: recipeFor(baseName), isDefault: flags.adapter === undefined, denoises };
}

/** Loads it. */
export async function loadModel(cli: Cli, runtime: Runtime, chosen: Chosen): Promise<Asked> {
  const { files, baseName, recipe } = chosen;
  const base = await loadBase(cli, runtime, baseName, recipe);
  if (files === undefined) {
    return { ...chosen, denoises: base.denoises, model: base, base, adapter: undefined, name: baseName };
  }
  const adapter = await base.loadAdapter(files.folder, { signal: cli.leaving.signal });
  return { ...chosen, model: adapter, base, adapter, name: files.name };
}

async function adapterOf({ adapter, base }: ModelFlags): Promise<NamedAdapter | undefined> {
  if (adapter === NO_ADAPTER) return undefined;
  if (adapter !== undefined) return findAdapter(adapter);
  const isFor = (baseName: string | undefined) =>
    base === undefined ? baseName !== undefined : baseName === base;
  return (await library()).find(({ baseName }) => isFor(baseName));
}

function unknownBase({ folder }: NamedAdapter): never {
  throw new LadError("invalid-option", `The adapter in ${folder} does not say which base it is for.`, {
    option: "--base",
    remedy: "Give --base.",
  });
}
