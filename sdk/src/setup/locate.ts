/** Finds the worker's code and its virtual environment, in a checkout or an installed package. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { LadError } from "../errors.js";

/** The paths that are needed to start `python -m lad_runtime`. */
export interface RuntimeLocation {
  /** The folder that holds package.json. */
  packageFolder: string;
  /** The folder that holds the Python package `lad_runtime`; the worker's PYTHONPATH. */
  runtimeFolder: string;
  /** The virtual environment's folder, made by the set-up. */
  environmentFolder: string;
  /** The virtual environment's interpreter. */
  python: string;
  /** Whether this is a checkout of the repository, and not an installed package. */
  isCheckout: boolean;
}

/** The record of what is installed, which the set-up writes into the environment when the first group is whole. */
export const STAMP = "lad-setup.json";

type Variables = Record<string, string | undefined>;

/**
 * Finds the worker's files. A checkout has its environment in `.venv`. An installed package has one for the user in `$LAD_HOME`, or
 * `$XDG_DATA_HOME/lad`, or `~/.local/share/lad`, so that it survives the removal of `node_modules`.
 */
export function locateRuntime(variables: Variables = process.env): RuntimeLocation {
  const packageFolder = resolve(import.meta.dirname, "../../..");
  const isCheckout = existsSync(join(packageFolder, "sdk/src")) && !packageFolder.includes("node_modules");
  const environmentFolder = isCheckout ? join(packageFolder, ".venv") : join(home(variables), "venv");
  return {
    packageFolder,
    runtimeFolder: join(packageFolder, "runtime"),
    environmentFolder,
    python: join(environmentFolder, "bin/python"),
    isCheckout,
  };
}

/**
 * `locateRuntime` for starting a worker.
 *
 * @throws LadError `setup-required` if the set-up has not run.
 */
export function requireRuntime(variables: Variables = process.env): RuntimeLocation {
  const location = locateRuntime(variables);
  const command = location.isCheckout ? "npm run setup" : "npx lad setup";
  if (existsSync(join(location.environmentFolder, STAMP))) return location;
  if (existsSync(location.python)) {
    throw new LadError(
      "setup-required",
      `The worker's Python environment ${location.environmentFolder} is not whole yet.`,
      {
        remedy: `Wait for the set-up that is under way, or run \`${command}\` again: it goes on where it was.`,
      },
    );
  }
  throw new LadError(
    "setup-required",
    `The worker's Python environment ${location.environmentFolder} does not exist.`,
    { remedy: `Run \`${command}\` once: it makes the environment and installs PyTorch.` },
  );
}

/**
 * The folder of what is kept between workers: their state, trained adapters, where a served worker listens. `$LAD_HOME` where it is
 * set, else `.lad` of a checkout, or the folder that an installed package has its environment in.
 */
export function homeFolder(variables: Variables = process.env): string {
  const { packageFolder, isCheckout } = locateRuntime(variables);
  return isCheckout && !variables.LAD_HOME ? join(packageFolder, ".lad") : home(variables);
}

function home(variables: Variables): string {
  if (variables.LAD_HOME) return resolve(variables.LAD_HOME);
  if (variables.XDG_DATA_HOME) return join(variables.XDG_DATA_HOME, "lad");
  return join(homedir(), ".local/share/lad");
}
