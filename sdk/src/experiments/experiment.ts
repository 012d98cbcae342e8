/** Experiments as YAML files, with the same types and checks as options in TypeScript. */
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, resolve } from "node:path";
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  stringify,
} from "yaml";
import { firstProblem, optionName } from "../checks/check.js";
import { nearest } from "../checks/nearest.js";
import { invalidOption, LadError } from "../errors.js";
import { type Experiment, experimentSchema } from "../options/experiment.js";

/**
 * Reads an experiment's file. Paths of JSON lines and of the report are relative to the file's folder.
 *
 * @throws LadError `not-found`, `invalid-file` for text that is not YAML, `invalid-option` with the line of the error
 */
export async function readExperiment(path: string): Promise<Experiment> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new LadError("not-found", `experiment is ${resolve(path)}: the file cannot be read.`, {
      option: "experiment",
      value: path,
      remedy: "Give the path of a YAML file.",
      cause,
    });
  });
  return withPathsFrom(dirname(resolve(path)), parseExperiment(text, path));
}

/**
 * Reads an experiment from YAML.
 *
 * @param name - the name of the text in errors
 * @throws LadError `invalid-file`, `invalid-option`
 */
export function parseExperiment(text: string, name = "experiment"): Experiment {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [mistake] = [...document.errors, ...document.warnings];
  if (mistake !== undefined) {
    const line = lines.linePos(mistake.pos[0]).line;
    const problem = mistake.message.split("\n")[0] ?? mistake.message;
    throw new LadError("invalid-file", `${name}, line ${line}: ${sentence(problem)}`, {
      option: "experiment",
      value: name,
      remedy: "Correct the YAML.",
      cause: mistake,
    });
  }
  const at = (path: readonly PropertyKey[]) => `${name}, line ${lineOf(document.contents, path, lines)}`;
  const value = plainValue(document, name);
  checkExperiment(value, at);
  return value;
}

/** The document as a plain value. Aliases that expand beyond a limit are an error. */
function plainValue(yaml: Document, name: string): unknown {
  try {
    return yaml.toJS();
  } catch (cause) {
    throw new LadError("invalid-file", `${name} cannot be read: ${sentence((cause as Error).message)}`, {
      option: "experiment",
      value: name,
      remedy: "Correct the YAML.",
      cause,
    });
  }
}

/** A parser's message without the position at its end, which the error already names. */
function sentence(problem: string): string {
  return `${problem.replace(/ at line \d+, column \d+:?$/, "").replace(/[.:]$/, "")}.`;
}

/** Writes an experiment as YAML, which `parseExperiment` reads back as an equal one. */
export function formatExperiment(experiment: Experiment): string {
  checkExperiment(experiment);
  return stringify(experiment, { lineWidth: 100 });
}

/**
 * The experiment at one point of its sweep, with the axes' values in place.
 *
 * @throws LadError `invalid-option` for a path without an option, or a value that the option does not accept
 */
export function experimentAt(
  experiment: Experiment,
  point: Readonly<Record<string, string | number | boolean>>,
): Experiment {
  const copy = structuredClone(experiment) as Experiment & Record<string, unknown>;
  for (const [path, value] of Object.entries(point)) {
    const words = path.split(".");
    if (words.some((word) => word in Object.prototype)) throw noOption(path, path, "", undefined);
    put(copy, words, value);
  }
  const { sweep: _, report: __, ...alone } = copy;
  checkExperiment(alone);
  return alone;
}

function checkExperiment(
  value: unknown,
  at?: (path: readonly PropertyKey[]) => string,
): asserts value is Experiment {
  const result = experimentSchema.safeParse(value, { reportInput: true });
  if (!result.success) {
    const { path, value: given, problem, remedy } = firstProblem(result.error.issues);
    const option = optionName(path);
    const where = at === undefined ? "" : `${at(path)}: `;
    if (given === undefined) {
      throw new LadError("invalid-option", `${where}${option} is missing: ${problem}.`, { option, remedy });
    }
    const { message } = invalidOption(option, given, problem, "");
    throw new LadError("invalid-option", `${where}${message}`, { option, value: given, remedy });
  }
  const { sweep } = result.data;
  for (const path of Object.keys(sweep?.axes ?? {})) checkAxis(value as Experiment, path, at);
}

/** Checks that an axis leads to an option: all words but the last to an object, and the last to one of its keys. */
function checkAxis(
  experiment: Experiment,
  path: string,
  at?: (path: readonly PropertyKey[]) => string,
): void {
  const where = at === undefined ? "" : `${at(["sweep", "axes", path])}: `;
  const option = `sweep.axes.${path}`;
  const known = ["adapter", "training"].flatMap((part) => keysOf(part).map((key) => `${part}.${key}`));
  if (known.includes(path)) {
    checkAxisValues(experiment, path, where);
    return;
  }
  throw noOption(option, path, where, nearest(path, known));
}

function noOption(option: string, path: string, where: string, guess: string | undefined): LadError {
  return new LadError("invalid-option", `${where}${option} leads to no option.`, {
    option,
    value: path,
    remedy: guess === undefined ? "Give paths such as adapter.rank." : `Did you mean ${guess}?`,
  });
}

/** Checks that the option of an axis accepts every value of the axis. */
function checkAxisValues(experiment: Experiment, path: string, where: string): void {
  const { sweep, ...alone } = experiment;
  for (const [index, value] of (sweep?.axes[path] ?? []).entries()) {
    const copy = structuredClone(alone) as Record<string, unknown>;
    put(copy, path.split("."), value);
    const result = experimentSchema.safeParse(copy, { reportInput: true });
    if (result.success) continue;
    const { problem, remedy } = firstProblem(result.error.issues);
    const option = `sweep.axes.${path}[${index}]`;
    const { message } = invalidOption(option, value, problem, "");
    throw new LadError("invalid-option", `${where}${message}`, { option, value, remedy });
  }
}

function keysOf(part: string): string[] {
  const shape = experimentSchema.shape as unknown as Record<string, { shape?: Record<string, unknown> }>;
  return Object.keys(shape[part]?.shape ?? {});
}

/** Sets what a path leads to, of an object's own properties: none is of `Object.prototype`. */
function put(target: Record<string, unknown>, [key, ...rest]: readonly string[], value: unknown): void {
  if (key === undefined) return;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const inner = Object.hasOwn(target, key) ? target[key] : undefined;
  const next = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : {};
  target[key] = next;
  put(next, rest, value);
}

/** The line of the node at a path, or of the deepest existing node on that path. */
function lineOf(root: ParsedNode | null, path: readonly PropertyKey[], lines: LineCounter): number {
  let node: Node | null = root;
  let offset = root?.range?.[0] ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = isNode(pair.value) ? pair.value : null;
    } else {
      const item: unknown = (node as { items?: unknown[] } | null)?.items?.[part as number];
      if (!isNode(item)) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    }
  }
  return lines.linePos(offset).line;
}

/** The experiment with absolute paths of `jsonl`, of `csv`, of its sweep's manifest and of its report. */
function withPathsFrom(folder: string, experiment: Experiment): Experiment {
  const fix = <Value>(value: Value): Value => {
    if (Array.isArray(value)) return value.map(fix) as Value;
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [
      key,
      (key === "jsonl" || key === "csv") && typeof inner === "string" && !isAbsolute(inner)
        ? resolve(folder, inner)
        : fix(inner),
    ]);
    return Object.fromEntries(entries) as Value;
  };
  const { report, sweep } = experiment;
  const manifest = sweep?.manifest;
  return {
    ...fix(experiment),
    ...(report === undefined ? {} : { report: resolve(folder, report) }),
    ...(manifest === undefined ? {} : { sweep: { ...sweep, manifest: resolve(folder, manifest) } }),
  } as Experiment;
}
