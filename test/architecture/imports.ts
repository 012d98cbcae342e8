/** Reads what source files import, in both languages. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** One file and what it imports: repository paths for our own TypeScript, module names for everything else. */
export interface Source {
  /** Path from the repository's root. */
  path: string;
  imports: string[];
}

/** Every TypeScript file below a folder; generated code is left out unless asked for. */
export function typescriptSources(folder: string): Source[] {
  return files(folder, /\.(tsx?|mts|mjs)$/).map((path) => ({
    path,
    imports: matches(path, /(?:^(?:import|export|\})(?:.*\bfrom)? |\bimport\()"([^"]+)"\)?;?$/gm).map(
      (name) => (name.startsWith(".") ? relative(root, resolve(root, dirname(path), name)) : name),
    ),
  }));
}

/** Every Python module below a folder. Imports inside functions count; relative ones are resolved. */
export function pythonSources(folder: string): Source[] {
  return files(folder, /\.py$/).map((path) => {
    const package_ = dirname(relative("runtime", path)).split("/");
    const names = matches(path, /^[ \t]*(?:from|import)[ \t]+([.\w]+)/gm);
    const froms = fromImports(path);
    return { path, imports: [...new Set([...names, ...froms].map((name) => absolute(name, package_)))] };
  });
}

/** `from lad_runtime import gen` imports `lad_runtime.gen`. */
function fromImports(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  const found: string[] = [];
  for (const [, module, names] of text.matchAll(
    /^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)/gm,
  )) {
    for (const name of (names ?? "").replace(/[()]|#.*$/gm, "").split(",")) {
      const [first] = name.trim().split(/\s+as\s+/);
      if (module && first && /^\w+$/.test(first)) found.push(`${module}.${first}`);
    }
  }
  return found;
}

function absolute(name: string, package_: string[]): string {
  const dots = /^\.*/.exec(name)?.[0].length ?? 0;
  if (dots === 0) return name;
  const parents = package_.slice(0, package_.length - (dots - 1));
  return [...parents, ...name.slice(dots).split(".").filter(Boolean)].join(".");
}

/** `name` itself or something inside it, for module names and paths. */
export function isWithin(name: string, container: string): boolean {
  return name === container || name.startsWith(`${container}.`) || name.startsWith(`${container}/`);
}

function matches(path: string, pattern: RegExp): string[] {
  return [...readFileSync(join(root, path), "utf8").matchAll(pattern)].map((match) => match[1] ?? "");
}

function files(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}
