/** The command line of `npm run bench`. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { nearest } from "../../sdk/src/checks/nearest.js";
import { invalidOption, LadError } from "../../sdk/src/errors.js";

export const ATTENTION = ["full", "prefix", "causal-prefix"] as const;
export const DEVICES = ["cpu", "cuda"] as const;
export type Device = (typeof DEVICES)[number];
export type Attention = (typeof ATTENTION)[number];

/** A reference that a checkout may be given of. */
export interface Repository {
  readonly name: string;
  /** A folder in it that tells it from others. */
  readonly folder: string;
}

/** What a figure has to say to the command line. */
export interface Measurable {
  /** What is measured against what, in one sentence. */
  readonly about: string;
  /** The base that is measured unless another is named. */
  readonly base: string;
  /** The options that mean something here, beside those that every figure takes. */
  readonly takes: readonly (
    | "profile"
    | "attention"
    | "device"
    | "allocator"
    | "compile"
    | "minutes"
    | "seeds"
    | "steps"
    | "questions"
    | "arms"
    | "workers"
  )[];
  readonly against?: Repository;
}

export interface BenchOptions {
  readonly name: string;
  /** A checkout of the reference. */
  readonly against: string | undefined;
  /** One JSON object on standard output instead of text. */
  readonly json: boolean;
  /** Where to write a Chrome trace of one run of ours. */
  readonly profile: string | undefined;
  /** How often each side runs, its warm-up apart. */
  readonly runs: number;
  readonly threads: number;
  readonly base: string;
  readonly attention: Attention;
  /** Where both sides compute. */
  readonly device: Device;
  /** Whether the reference's memory allocator is told to keep what it has had. */
  readonly allocator: boolean;
  /** Whether our base is loaded with `compile`. */
  readonly compile: boolean;
  /** How long it is kept up. */
  readonly minutes: number | undefined;
  /** With how many seeds it is measured. */
  readonly seeds: number | undefined;
  /** After how many training steps adapters are measured. */
  readonly steps: readonly number[] | undefined;
  /** How many questions are asked; all of them if undefined. */
  readonly questions: number | undefined;
  /** Parts of the names of the arms that are measured; all of them if undefined. */
  readonly arms: readonly string[] | undefined;
  /** How many workers train at once, each on its own threads. */
  readonly workers: number | undefined;
}

export const USAGE =
  "npm run bench -- <name> [--against checkout] [--json] [--profile file] [--runs N] [--threads N] [--base name]" +
  " [--attention full | prefix | causal-prefix] [--device cpu | cuda] [--allocator] [--compile] [--minutes N] [--seeds N] [--steps N,N] [--questions N]" +
  " [--arm name]… [--workers N]";

/** @throws LadError `invalid-option` */
export function parseBench(
  words: readonly string[],
  figures: Readonly<Record<string, Measurable>>,
): BenchOptions {
  const { values, positionals } = parsed(words);
  const [name, ...others] = positionals;
  if (others.length > 0) {
    throw invalidOption(
      "name",
      positionals.join(" "),
      "it is more than one",
      "Measure one figure at a time.",
    );
  }
  const figure = figureNamed(name, figures);
  const options = {
    name: name ?? "",
    against: values.against === undefined ? undefined : resolve(values.against),
    json: values.json ?? false,
    profile: values.profile === undefined ? undefined : resolve(values.profile),
    runs: count("runs", values.runs, 5),
    threads: count("threads", values.threads, availableParallelism()),
    base: values.base ?? figure.base,
    attention: oneOf("attention", values.attention, ATTENTION),
    device: oneOf("device", values.device, DEVICES),
    allocator: values.allocator ?? false,
    compile: values.compile ?? false,
    minutes: values.minutes === undefined ? undefined : count("minutes", values.minutes, 1),
    seeds: values.seeds === undefined ? undefined : count("seeds", values.seeds, 1),
    steps: values.steps?.split(",").map((text) => count("steps", text, 1)),
    questions: values.questions === undefined ? undefined : count("questions", values.questions, 1),
    arms: values.arm,
    workers: values.workers === undefined ? undefined : count("workers", values.workers, 1),
  };
  requireTaken(options, figure);
  return options;
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        against: { type: "string" },
        json: { type: "boolean" },
        profile: { type: "string" },
        runs: { type: "string" },
        threads: { type: "string" },
        base: { type: "string" },
        attention: { type: "string" },
        device: { type: "string" },
        allocator: { type: "boolean" },
        compile: { type: "boolean" },
        minutes: { type: "string" },
        seeds: { type: "string" },
        steps: { type: "string" },
        questions: { type: "string" },
        arm: { type: "string", multiple: true },
        workers: { type: "string" },
      },
    });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new LadError("invalid-option", problem, { remedy: USAGE, cause: error });
  }
}

function figureNamed(name: string | undefined, figures: Readonly<Record<string, Measurable>>): Measurable {
  const figure = name === undefined ? undefined : Object.hasOwn(figures, name) ? figures[name] : undefined;
  if (figure !== undefined) return figure;
  const names = Object.keys(figures);
  const guess = name === undefined ? undefined : nearest(name, names);
  const remedy = `${guess === undefined ? "" : `Did you mean ${guess}? `}There are ${names.join(", ")}.`;
  throw invalidOption("name", name ?? "", "there is no such figure", remedy);
}

function count(option: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1) return value;
  throw invalidOption(option, given, "it must be an integer of at least 1", "Give for instance 5.");
}

/** One of the names that an option may have, the first where none is given. */
function oneOf<Name extends string>(
  option: string,
  given: string | undefined,
  names: readonly [Name, ...Name[]],
): Name {
  const found = names.find((name) => name === (given ?? names[0]));
  if (found !== undefined) return found;
  throw invalidOption(option, given, "it is none that there is", `Give one of ${names.join(", ")}.`);
}

/** An option that the figure would leave unused is an error. */
function requireTaken(options: BenchOptions, figure: Measurable): void {
  const given = {
    profile: options.profile !== undefined,
    attention: options.attention !== "full",
    device: options.device !== "cpu",
    allocator: options.allocator,
    compile: options.compile,
    minutes: options.minutes !== undefined,
    seeds: options.seeds !== undefined,
    steps: options.steps !== undefined,
    questions: options.questions !== undefined,
    arms: options.arms !== undefined,
    workers: options.workers !== undefined,
  };
  for (const [option, isGiven] of Object.entries(given) as [Measurable["takes"][number], boolean][]) {
    if (isGiven && !figure.takes.includes(option)) throw unused(option, options);
  }
  if (options.against !== undefined) requireCheckout(options.against, options, figure);
  else if (options.allocator) {
    const problem = "there is no reference to give the settings to";
    throw invalidOption("allocator", true, problem, "Give --against too, or leave it out.");
  }
}

function requireCheckout(folder: string, options: BenchOptions, { against }: Measurable): void {
  if (against === undefined) throw unused("against", options);
  if (existsSync(join(folder, against.folder))) return;
  throw invalidOption(
    "against",
    folder,
    `there is no ${against.folder} in it`,
    `Give a checkout of ${against.name}.`,
  );
}

function unused(option: "against" | Measurable["takes"][number], options: BenchOptions): LadError {
  return invalidOption(option, options[option], `${options.name} has no use for it`, "Leave it out.");
}
