/** Finds a Python interpreter that can make the worker's environment. */
import { execa } from "execa";
import { LadError } from "../errors.js";

/** A usable interpreter. */
export interface Python {
  /** Path of the interpreter itself, not of a shim. */
  executable: string;
  /** For instance `3.11.7`. */
  version: string;
}

/** What a candidate reports about itself. */
export interface Probe extends Python {
  hasEnsurepip: boolean;
}

const OLDEST = 10;
const NEWEST = 13;
const RANGE = `3.${OLDEST} to 3.${NEWEST}`;

const QUESTION = `
import importlib.util, json, sys
print(json.dumps({
    "executable": sys.executable,
    "version": "%d.%d.%d" % sys.version_info[:3],
    "hasEnsurepip": bool(importlib.util.find_spec("ensurepip")) and bool(importlib.util.find_spec("venv")),
}))`;

/** The commands to try, best first: the user's own python3, then the newest that PyTorch has been tested with. */
export const CANDIDATES = ["python3", "python3.12", "python3.11", "python3.13", "python3.10", "python"];

/**
 * The interpreter named by `LAD_PYTHON`, or the first of `CANDIDATES` that is Python 3.10 to 3.13 and can make a virtual
 * environment.
 *
 * @throws LadError `setup-failed` naming the interpreters found and the package to install.
 */
export async function findPython(
  wanted: string | undefined = process.env.LAD_PYTHON,
  probe: (command: string) => Promise<Probe | undefined> = ask,
): Promise<Python> {
  if (wanted) {
    const found = await probe(wanted);
    if (found === undefined) throw notFound(`LAD_PYTHON is ${wanted}: that command does not run.`, wanted);
    return usable(found) ?? reject([found], wanted);
  }
  const found: Probe[] = [];
  for (const command of CANDIDATES) {
    const answer = await probe(command);
    if (answer === undefined) continue;
    const python = usable(answer);
    if (python) return python;
    found.push(answer);
  }
  return reject(found);
}

async function ask(command: string): Promise<Probe | undefined> {
  const { stdout, failed } = await execa(command, ["-c", QUESTION], { reject: false, timeout: 20_000 });
  if (failed) return undefined;
  try {
    return JSON.parse(stdout) as Probe;
  } catch {
    return undefined;
  }
}

function usable(found: Probe): Python | undefined {
  if (!isSupported(found.version) || !found.hasEnsurepip) return undefined;
  return { executable: found.executable, version: found.version };
}

function isSupported(version: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  return major === 3 && minor !== undefined && minor >= OLDEST && minor <= NEWEST;
}

/** Throws the error that explains why no interpreter is usable, beginning with the one that needs the least to be. */
function reject(found: Probe[], wanted?: string): never {
  const given = wanted === undefined ? {} : { option: "LAD_PYTHON", value: wanted };
  const incomplete = found.find((python) => isSupported(python.version));
  if (incomplete) {
    const [, minor] = incomplete.version.split(".");
    throw new LadError(
      "setup-failed",
      `Python ${incomplete.version} (${incomplete.executable}) lacks ensurepip, which puts pip into a virtual environment.`,
      {
        ...given,
        remedy: `On Debian and Ubuntu: sudo apt install python3.${minor}-venv. Or name another interpreter in LAD_PYTHON.`,
      },
    );
  }
  const unfit = found[0];
  if (unfit) {
    throw new LadError(
      "setup-failed",
      `Python ${unfit.version} (${unfit.executable}) will not do: the worker needs ${RANGE}.`,
      {
        ...given,
        remedy: "Install Python 3.12 with its venv package, or name an interpreter in LAD_PYTHON.",
      },
    );
  }
  throw notFound("No Python was found on the PATH.");
}

function notFound(message: string, wanted?: string): LadError {
  return new LadError("setup-failed", message, {
    ...(wanted === undefined ? {} : { option: "LAD_PYTHON", value: wanted }),
    remedy: `Install Python ${RANGE} (on Debian and Ubuntu: sudo apt install python3 python3-venv), or name it in LAD_PYTHON.`,
  });
}
