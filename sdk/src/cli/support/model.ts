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
import { bytes } from "../../report/index.js";
import { type Cli, note } from "../cli.js";
import { findAdapter, library, type NamedAdapter, NO_ADAPTER } from "./library.js";

/** The flags that say which model. */
export interface ModelFlags {
  readonly adapter?: string;
  readonly base?: string;
}

/** A model and what it is made of. */
export interface Asked {
  readonly model: Model;
  readonly base: Base;
  readonly adapter: Adapter | undefined;
  /** What it is called: the adapter's name, or the base's. */
  readonly name: string;
  readonly recipe: Recipe;
}

/** The base of which nothing is said. */
export const DEFAULT_BASE = "tiny";

/** Whether a base is one of the small ones that come with lad, which know single questions. */
export function isShipped(base: string): boolean {
  return /^(tiny|tiny-0\.7m|tiny-5m|stub)$/.test(base);
}

/** Adds the flags that say which model, for `askedModel`. */
export function withModelFlags(command: Command): Command {
  return command
    .option(
      "-a, --adapter <name>",
      `a trained adapter, or its folder; ${NO_ADAPTER}: the base alone (default: the last saved)`,
    )
    .option(
      "-b, --base <base>",
      "stub, tiny, smollm2-135m, a hub id or a folder (default: the adapter's own)",
    );
}

/** Does something with the model that the flags ask for; its adapter is then dropped, since the worker may be another's. */
export async function withModel(
  cli: Cli,
  runtime: Runtime,
  flags: ModelFlags,
  act: (asked: Asked) => Promise<void>,
): Promise<void> {
  const asked = await askedModel(cli, runtime, flags);
  if (flags.adapter === undefined) note(cli, whoAnswers(asked));
  try {
    await act(asked);
  } finally {
    await dropQuietly(asked.adapter);
  }
}

function whoAnswers({ adapter, name }: Asked): string {
  if (adapter !== undefined) return `${name} answers.`;
  return `There is no adapter on this base (\`lad train\` makes one): ${name} itself answers, token after token.`;
}

/** Drops an adapter, as far as its worker still answers. */
export async function dropQuietly(adapter: Adapter | undefined): Promise<void> {
  await adapter?.drop().catch((error: unknown) => {
    if (!isLadError(error)) throw error;
  });
}

/** Loads the model that the flags ask for: by default the adapter that was saved last, if there is one for the base. */
export async function askedModel(cli: Cli, runtime: Runtime, flags: ModelFlags): Promise<Asked> {
  const files = await adapterOf(flags);
  const baseName = flags.base ?? files?.baseName ?? (files === undefined ? DEFAULT_BASE : unknownBase(files));
  const recipe = recipeFor(baseName);
  const base = await loadBase(cli, runtime, baseName, recipe);
  if (files === undefined) return { model: base, base, adapter: undefined, name: baseName, recipe };
  const { signal } = cli.leaving;
  const adapter = await base.loadAdapter(files.folder, { signal });
  return { model: adapter, base, adapter, name: files.name, recipe };
}

/** Loads a base as its recipe has it, and tells how far it is where that takes long. */
export async function loadBase(cli: Cli, runtime: Runtime, name: string, recipe: Recipe): Promise<Base> {
  let told = 0;
  const onProgress = ({
    phase,
    doneBytes,
    totalBytes,
  }: {
    phase: string;
    doneBytes: number;
    totalBytes: number;
  }) => {
    if (performance.now() - told < 1000 || totalBytes < 2 ** 26) return;
    told = performance.now();
    note(cli, `${name}: ${phase} ${bytes(doneBytes)} of ${bytes(totalBytes)}`);
  };
  return runtime.loadBase(name, { ...recipe.base, onProgress, signal: cli.leaving.signal });
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
