/** The adapters that this user has trained: a folder each, in PEFT's format, in `adapters` of `$LAD_HOME`. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { guessOf } from "../../checks/nearest.js";
import {
  type AdapterFolderInfo,
  checkName as checkStoredName,
  isLadError,
  LadError,
  readAdapterFolder,
} from "../../index.js";
import { homeFolder } from "../../setup/locate.js";

/** What `--adapter` says for the base without one. */
export const NO_ADAPTER = "none";

/** An adapter of the library. */
export interface NamedAdapter extends AdapterFolderInfo {
  readonly name: string;
}

/** The folder of the adapter of that name, whether or not it is there. */
export function libraryFolder(name: string): string {
  return join(libraryRoot(), name);
}

/** All adapters of the library, the last saved first; `onDamaged` hears of those whose files cannot be read. */
export async function library(onDamaged = (_: string) => {}): Promise<NamedAdapter[]> {
  const names = await readdir(libraryRoot()).catch(() => []);
  const found: NamedAdapter[] = [];
  for (const name of names) {
    try {
      found.push({ name, ...(await readAdapterFolder(libraryFolder(name))) });
    } catch (error) {
      if (!isLadError(error)) throw error;
      onDamaged(`${name} is no adapter that can be read: ${error.message}`);
    }
  }
  return found.sort((a, b) => b.saved.getTime() - a.saved.getTime());
}

/**
 * An adapter by its name in the library, or by the path of its folder.
 *
 * @throws LadError `not-found` with the nearest name
 */
export async function findAdapter(nameOrPath: string): Promise<NamedAdapter> {
  const adapters = await library();
  const named = adapters.find(({ name }) => name === nameOrPath);
  if (named !== undefined) return named;
  if (/[/\\]|^\.+$/.test(nameOrPath)) return { name: nameOrPath, ...(await readAdapterFolder(nameOrPath)) };
  const names = adapters.map(({ name }) => name);
  const known =
    names.length > 0 ? `There are ${names.join(", ")}.` : "None has been trained yet: `lad train` makes one.";
  throw new LadError("not-found", `There is no adapter ${nameOrPath}.`, {
    option: "--adapter",
    value: nameOrPath,
    remedy: `${guessOf(nameOrPath, names)}${known} A folder is given with a slash: ./${nameOrPath}.`,
  });
}

/**
 * @param option - what gives the name, for errors
 * @throws LadError `invalid-option` for what cannot name an adapter and its checkpoints
 */
export function checkName(name: string, option = "--name"): void {
  checkStoredName(name, option);
  if (name !== NO_ADAPTER) return;
  throw new LadError("invalid-option", `${option} is ${name}: that stands for no adapter.`, {
    option,
    value: name,
    remedy: "Give another name.",
  });
}

/** A name that no adapter has, nor any of `others`: `stem`, else `stem-2` and so on. */
export async function freeName(stem: string, others: ReadonlySet<string> = new Set()): Promise<string> {
  const taken = new Set([...(await readdir(libraryRoot()).catch(() => [])), ...others]);
  for (let n = 1; ; n++) {
    const name = n === 1 ? stem : `${stem}-${n}`;
    if (!taken.has(name)) return name;
  }
}

/** What a base's adapters are called after. */
export function stemOf(base: string): string {
  const last = base.split(/[/\\]/).filter(Boolean).at(-1) ?? "adapter";
  return (
    last
      .replace(/[^A-Za-z0-9._-]/g, "-")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, 40) || "adapter"
  );
}

function libraryRoot(): string {
  return join(homeFolder(), "adapters");
}
