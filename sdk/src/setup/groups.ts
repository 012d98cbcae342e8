/** The groups of packages that the set-up installs, and the record of which are installed. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { guessOf } from "../checks/nearest.js";
import { LadError } from "../errors.js";
import { STAMP } from "./locate.js";

/**
 * Groups of Python packages: `core` runs a worker, `data` reads hub data sets and finds near-duplicates, `smollm2` has the file of that
 * base, `lm-eval` is the harness of that name, `tensorboard` writes its event files, `dev` tests and checks everything.
 */
export const GROUPS = ["core", "data", "smollm2", "lm-eval", "tensorboard", "dev"] as const;
export type Group = (typeof GROUPS)[number];

/** The record of an environment's installed groups: a digest of each group's requirements. */
interface Stamp {
  /** The interpreter that the environment was made with. */
  python: string;
  groups: Partial<Record<Group, string>>;
}

/**
 * Reads `--with`: group names, separated by commas.
 *
 * @throws LadError `invalid-option` for a name that is not a group.
 */
export function parseGroups(text: string): Group[] {
  const names = text.split(",").filter((name) => name !== "");
  for (const name of names) {
    if (!(GROUPS as readonly string[]).includes(name)) {
      throw new LadError("invalid-option", `--with is ${name}: there is no such set of packages.`, {
        option: "--with",
        value: name,
        remedy: `${guessOf(name, GROUPS)}Give one or more of ${GROUPS.join(", ")}, with commas between them.`,
      });
    }
  }
  return ["core", ...(names as Group[]).filter((name) => name !== "core")];
}

/** The groups that the environment lacks, or has with other requirements; all of them if it is broken. */
export function missingGroups(groups: readonly Group[], environment: string, requirements: string): Group[] {
  const stamp = readStamp(environment);
  if (stamp === undefined || !isAlive(environment, stamp)) return [...groups];
  return groups.filter((group) => stamp.groups[group] !== digest(group, requirements));
}

/** Records that a group is installed. */
export function stampGroup(group: Group, environment: string, requirements: string): void {
  const python = realpathSync(join(environment, "bin/python"));
  const before = readStamp(environment);
  const groups = before?.python === python ? before.groups : {};
  const stamp: Stamp = { python, groups: { ...groups, [group]: digest(group, requirements) } };
  writeFileSync(join(environment, STAMP), `${JSON.stringify(stamp, null, 2)}\n`);
}

/** The path of a group's requirements file. */
export function requirementsFile(group: Group | "constraints", requirements: string): string {
  return join(requirements, `${group}.txt`);
}

function digest(group: Group, requirements: string): string {
  const hash = createHash("sha256");
  for (const file of [group, "constraints"]) hash.update(wholeText(join(requirements, `${file}.txt`)));
  return hash.digest("hex").slice(0, 16);
}

/** A requirements file, and those that it includes. */
function wholeText(file: string): string {
  const text = readFileSync(file, "utf8");
  const included = [...text.matchAll(/^-r (\S+)$/gm)].map(([, name = ""]) =>
    wholeText(join(dirname(file), name)),
  );
  return [text, ...included].join("");
}

function readStamp(environment: string): Stamp | undefined {
  try {
    return JSON.parse(readFileSync(join(environment, STAMP), "utf8")) as Stamp;
  } catch {
    return undefined;
  }
}

/** Whether the interpreter that an environment links to still exists. An upgrade of the system's Python may remove it. */
function isAlive(environment: string, stamp: Stamp): boolean {
  const python = join(environment, "bin/python");
  return existsSync(python) && realpathSync(python) === stamp.python;
}
