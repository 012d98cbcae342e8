import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { isWithin, pythonSources, root, type Source, typescriptSources } from "./imports.js";

const MOST_FILES = 20;
const ROOTS = ["sdk", "runtime", "test", "examples", "proto", "bench"];
const MADE_BY_PROGRAMS = /\/(gen|node_modules|\.venv|__pycache__|dist)(\/|$)/;

/** Groups of nodes that reach each other: Tarjan's strongly connected components of more than one. */
function cycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (node: string) => {
    order.set(node, order.size);
    lowest.set(node, order.size - 1);
    path.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (path.includes(next)) lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(next) ?? 0));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const group = path.splice(path.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found;
}

/** Who imports whom within the sources, by a name that each file has. */
function edgesBetween(sources: readonly Source[], nameOf: (path: string) => string) {
  const names = new Set(sources.map(({ path }) => nameOf(path)));
  return new Map(
    sources.map(({ path, imports }) => {
      const own = nameOf(path);
      return [own, new Set(imports.filter((name) => name !== own && names.has(name)))] as const;
    }),
  );
}

/** The same between folders; one that lies in the other is no neighbour. */
function foldersOf(edges: ReadonlyMap<string, ReadonlySet<string>>, folderOf: (name: string) => string) {
  const between = new Map<string, Set<string>>();
  for (const [from, targets] of edges) {
    for (const to of targets) {
      const [a, b] = [folderOf(from), folderOf(to)];
      if (a === b || `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`)) continue;
      between.set(a, (between.get(a) ?? new Set()).add(b));
    }
  }
  return between;
}

const worker = pythonSources("runtime/lad_runtime").filter(({ path }) => !path.includes("/gen/"));
const moduleOf = (path: string) =>
  relative("runtime", path)
    .replace(/\.py$/, "")
    .replace(/\/__init__$/, "")
    .replaceAll("/", ".");
const sdk = typescriptSources("sdk/src").filter(({ path }) => !path.includes("/gen/"));
const scriptOf = (path: string) => path.replace(/\.ts$/, ".js");

describe("the rooms", () => {
  it(`have at most ${MOST_FILES} files that people wrote`, () => {
    const full = ROOTS.flatMap((top) => [
      top,
      ...readdirSync(join(root, top), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => relative(root, join(entry.parentPath, entry.name))),
    ])
      .filter((folder) => !MADE_BY_PROGRAMS.test(`/${folder}`))
      .map((folder) => {
        const files = readdirSync(join(root, folder), { withFileTypes: true }).filter(
          (entry) =>
            entry.isFile() && /\.(tsx?|mjs|py|proto)$/.test(entry.name) && entry.name !== "__init__.py",
        );
        return `${folder}: ${files.length}`;
      })
      .filter((line) => Number(line.split(": ")[1]) > MOST_FILES);
    expect(full).toEqual([]);
  });

  it("of the worker import each other in one direction, files and folders alike", () => {
    const files = edgesBetween(worker, moduleOf);
    expect(files.size).toBeGreaterThan(100);
    expect(cycles(files)).toEqual([]);
    const packages = new Set(
      worker.filter(({ path }) => path.endsWith("__init__.py")).map(({ path }) => moduleOf(path)),
    );
    const folderOf = (name: string) =>
      (packages.has(name) ? name : name.split(".").slice(0, -1).join(".")).replaceAll(".", "/");
    expect(cycles(foldersOf(files, folderOf))).toEqual([]);
  });

  it("of the SDK do so as well", () => {
    const files = edgesBetween(sdk, scriptOf);
    expect(files.size).toBeGreaterThan(80);
    expect(cycles(files)).toEqual([]);
    const folders = foldersOf(files, (name) => dirname(name));
    expect(cycles(new Map([...folders].filter(([folder]) => folder !== "sdk/src")))).toEqual([]);
  });

  it("of the benches do so too", () => {
    const files = edgesBetween(typescriptSources("bench"), scriptOf);
    expect(files.size).toBeGreaterThan(25);
    expect(cycles(files)).toEqual([]);
  });

  it("see a cycle where there is one", () => {
    const edges = new Map([
      ["a", new Set(["b"])],
      ["b", new Set(["c"])],
      ["c", new Set(["a", "d"])],
      ["d", new Set<string>()],
    ]);
    expect(cycles(edges)).toEqual([["a", "b", "c"]]);
  });
});

/** What both languages compute, to the same numbers, under the same name. */
const TWINS = [
  "answer-end",
  "answer-state",
  "choose",
  "data-order",
  "learning-rate",
  "loss-report",
  "loss-targets",
  "noise",
  "open-positions",
  "policy",
  "prepared-example",
  "random",
  "random-split",
  "structural-noise",
];

/** Folders of which every file is in both languages, but for what lists the others. */
const TWIN_FOLDERS = ["noises", "policies"];
const NO_TWINS = ["registered.ts", "__init__.py"];

/** What one language alone needs: the worker prepares examples and tells of them. */
const SINGLES = {
  "runtime/lad_runtime/method": [
    "chat-turns",
    "example",
    "row",
    "targeted-sequence",
    "window-spec",
    "windows",
  ],
  "sdk/src/method": ["kinds"],
};

/**
 * What the worker has where it computes or keeps it: the rule by which a token is drawn works on logits, which are torch's there; the
 * watch on validations is a value that checkpoints hold.
 */
const TWINS_ACROSS_ROOMS = [
  ["sdk/src/method/early-stopping.ts", "runtime/lad_runtime/types/early_stopping.py"],
  ["sdk/src/method/draw.ts", "runtime/lad_runtime/torch_backend/sampling/draw.py"],
  ["sdk/src/method/likelihood-masks.ts", "runtime/lad_runtime/torch_backend/scoring/likelihood_masks.py"],
];

describe("the method", () => {
  it.each(Object.entries(SINGLES))(
    "has nothing in %s but twins, and what that language alone needs",
    (folder, singles) => {
      const across = TWINS_ACROSS_ROOMS.flat().map((path) =>
        path.replace(/.*\//, "").replace(/\.(ts|py)$/, ""),
      );
      const files = readdirSync(join(root, folder))
        .filter((file) => /\.(ts|py)$/.test(file) && file !== "__init__.py")
        .map((file) => file.replace(/\.(ts|py)$/, "").replaceAll("_", "-"));
      expect(files.filter((name) => ![...TWINS, ...singles, ...across].includes(name))).toEqual([]);
      expect(singles.filter((name) => !files.includes(name))).toEqual([]);
    },
  );

  it.each(TWINS_ACROSS_ROOMS)("has %s and %s", (...paths) => {
    for (const path of paths) expect(existsSync(join(root, path))).toBe(true);
  });

  it.each(TWINS)("has %s in both languages", (name) => {
    expect(existsSync(join(root, `sdk/src/method/${name}.ts`))).toBe(true);
    expect(existsSync(join(root, `runtime/lad_runtime/method/${name.replaceAll("-", "_")}.py`))).toBe(true);
  });

  it.each(TWIN_FOLDERS)("has every file of %s in both languages", (folder) => {
    const names = (path: string, end: string) =>
      readdirSync(join(root, path))
        .filter((file) => file.endsWith(end) && !NO_TWINS.includes(file))
        .map((file) => file.replace(end, "").replaceAll("_", "-"));
    const own = names(`sdk/src/method/${folder}`, ".ts");
    expect(own.length).toBeGreaterThan(4);
    expect(names(`runtime/lad_runtime/method/${folder}`, ".py").sort()).toEqual(own.sort());
  });

  it("knows neither torch nor RPCs nor the rest of the worker", () => {
    const allowed = /^(lad_runtime\.(method|errors|checks)\b|numpy\b)/;
    const own = worker.filter(({ path }) => path.startsWith("runtime/lad_runtime/method/"));
    expect(own.length).toBeGreaterThan(10);
    const foreign = own.flatMap(({ path, imports }) =>
      imports
        .filter(
          (name) =>
            name.startsWith("lad_runtime") || /^(torch|grpc|google|safetensors|tokenizers)\b/.test(name),
        )
        .filter((name) => !allowed.test(name))
        .map((name) => `${path} imports ${name}`),
    );
    expect(foreign).toEqual([]);
  });

  it("is below the options and the rest of the SDK, above what a value may be", () => {
    const allowed = /^(sdk\/src\/(method|checks)\/|sdk\/src\/errors\.js$|zod$)/;
    const foreign = sdk
      .filter(({ path }) => isWithin(path, "sdk/src/method"))
      .flatMap(({ path, imports }) =>
        imports.filter((name) => !allowed.test(name)).map((name) => `${path} imports ${name}`),
      );
    expect(foreign).toEqual([]);
    const below = sdk.filter(({ path }) => isWithin(path, "sdk/src/checks"));
    expect(
      below.flatMap(({ imports }) => imports.filter((name) => isWithin(name, "sdk/src/method"))),
    ).toEqual([]);
  });
});
