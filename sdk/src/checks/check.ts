/** Checks options by their schemas; an error names the option, the value and the remedy. */
import type { z } from "zod";
import { invalidOption, LadError } from "../errors.js";
import { meant } from "./meaning.js";
import { nearest } from "./nearest.js";

/** Called for every setting that is ignored, so that no setting is without effect silently. */
export type Warn = (message: string) => void;

/**
 * Checks options and fills in their defaults.
 *
 * @param path - the prefix of option names in errors: `validation` gives `validation.everySteps`
 * @throws LadError `invalid-option` for the first option that is wrong or unknown
 */
export function check<Schema extends z.ZodType>(schema: Schema, input: unknown, path = ""): z.output<Schema> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  throw problemError(firstProblem(result.error.issues), path);
}

/** One wrong option: its path, its value, and what it should be. */
interface Problem {
  path: readonly PropertyKey[];
  value: unknown;
  /** `it must be …` */
  problem: string;
  remedy: string;
}

/** The problem to report first: an unknown key before a missing one, else in order. */
export function firstProblem(issues: readonly z.core.$ZodIssue[]): Problem {
  const issue = issues.find((i) => i.code === "unrecognized_keys") ?? issues[0];
  if (issue === undefined) throw new Error("a failed check has an issue");
  if (issue.code === "unrecognized_keys") return unknownKey(issue);
  if (issue.code === "invalid_union") return nearestBranch(issue);
  const given = issue.input;
  if (given === undefined && issue.code !== "custom") {
    return { path: issue.path, value: given, problem: "it is required", remedy: wanted(issue.message) };
  }
  return {
    path: issue.path,
    value: shown(given, issue),
    problem: `it must be ${issue.message}`,
    remedy: didYouMean(issue, given) ?? wanted(issue.message),
  };
}

function shown(given: unknown, issue: z.core.$ZodIssue): unknown {
  if (given !== undefined && issue.code === "custom" && issue.params?.secret === true) return "(not shown)";
  const isMisplaced = typeof given === "string" && issue.code === "invalid_type";
  return isMisplaced ? JSON.stringify(given) : given; // distinguishes "4" from 4
}

function problemError({ path, value, problem, remedy }: Problem, prefix = ""): LadError {
  const option = optionName([prefix, ...path].filter((part) => part !== "")) || "options";
  if (value === undefined) {
    return new LadError("invalid-option", `${option} is missing: ${problem}.`, { option, remedy });
  }
  return invalidOption(option, value, problem, remedy);
}

/** `["data", 3, "output"]` → `data[3].output` */
export function optionName(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`,
    )
    .join("");
}

function unknownKey(issue: z.core.$ZodIssueUnrecognizedKeys): Problem {
  const key = issue.keys[0] ?? "";
  return {
    path: [...issue.path, key],
    value: (issue.input as Record<string, unknown> | undefined)?.[key] ?? null,
    problem: "there is no such option",
    remedy: isSentence(issue.message) ? issue.message : knownKey(key, issue.message),
  };
}

/** Whether the message is a remedy; otherwise it lists the names of the object's keys. */
function isSentence(message: string): boolean {
  return /[.?]$/.test(message);
}

function knownKey(key: string, names: string): string {
  const known = names.split(", ").filter((name) => name !== "");
  const guess = meant(key, known) ?? nearest(key, known);
  return guess === undefined ? listed("Known are", known) : `Did you mean ${guess}?`;
}

/** The problem of the union's branch that fits the value best: it accepts its type and has the fewest problems. */
function nearestBranch(issue: z.core.$ZodIssueInvalidUnion): Problem {
  const branch = issue.errors
    .filter((candidate) => !candidate.some((i) => i.path.length === 0 && isKind(i)))
    .sort((a, b) => a.length - b.length)[0];
  if (branch === undefined || branch.length === 0) {
    const text = issue.message;
    const guess = didYouMean(issue.errors.flat()[0], issue.input);
    return {
      path: issue.path,
      value: issue.input,
      problem: issue.input === undefined ? "it is required" : `it must be ${text}`,
      remedy: guess ?? wanted(text),
    };
  }
  const inner = firstProblem(branch);
  return { ...inner, path: [...issue.path, ...inner.path] };
}

function isKind(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function didYouMean(issue: z.core.$ZodIssue | undefined, given: unknown): string | undefined {
  if (issue?.code !== "invalid_value" || typeof given !== "string") return undefined;
  const values = issue.values.map(String);
  const guess = meant(given, values) ?? nearest(given, values);
  return guess === undefined ? undefined : `Did you mean ${guess}?`;
}

function wanted(text: string): string {
  return `Give ${text}.`;
}

function listed(lead: string, words: readonly string[]): string {
  return words.length === 0 ? "Leave it out." : `${lead} ${words.join(", ")}.`;
}
