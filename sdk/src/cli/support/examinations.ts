/** What `lad doctor` looks at, one thing at a time. */
import { existsSync } from "node:fs";
import { access, constants, mkdtemp, rm, statfs } from "node:fs/promises";
import { availableParallelism, freemem, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { isLadError, Runtime, servedWorker } from "../../index.js";
import { makeFolder } from "../../make-folder.js";
import { bytes } from "../../report/index.js";
import { homeFolder, locateRuntime, requireRuntime } from "../../setup/locate.js";
import { findPython } from "../../setup/python.js";

/** What was found. */
export interface Finding {
  readonly state: "fine" | "warning" | "problem";
  readonly text: string;
  /** What to type. */
  readonly remedy?: string | undefined;
}

interface Examination {
  readonly name: string;
  look(): Promise<Finding>;
}

/** Bytes that the environment with a CPU build of PyTorch, or a base with its adapters, needs at the least. */
const LEAST_DISK = 2 * 2 ** 30;
const LEAST_MEMORY = 2 ** 30;

const TORCH = `
import json, sys, torch
cuda = torch.cuda.is_available()
print(json.dumps({"torch": torch.__version__, "python": sys.version.split()[0], "cuda": torch.version.cuda,
                  "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else []}))`;

/** In the order in which one thing needs another. */
export const EXAMINATIONS: readonly Examination[] = [
  { name: "node", look: node },
  { name: "python", look: python },
  { name: "environment", look: environment },
  { name: "device", look: device },
  { name: "memory", look: memory },
  { name: "home", look: home },
  { name: "sockets", look: sockets },
  { name: "worker", look: worker },
  { name: "containers", look: containers },
];

async function node(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isOld = major < 20 || (major === 20 && minor < 19);
  if (isOld) return problem(process.versions.node, "Install Node 20.19 or newer.");
  return fine(`${process.versions.node} on ${process.platform} ${process.arch}`);
}

async function python(): Promise<Finding> {
  try {
    const { executable, version } = await findPython();
    return fine(`${version} (${executable})`);
  } catch (error) {
    if (!isLadError(error)) throw error;
    // an environment that is made already needs none
    return existsSync(locateRuntime().python) ? warning(error.message) : problem(error.message);
  }
}

async function environment(): Promise<Finding> {
  try {
    return fine(requireRuntime().environmentFolder);
  } catch (error) {
    if (!isLadError(error)) throw error;
    return problem(error.message);
  }
}

async function device(): Promise<Finding> {
  const { python, isCheckout } = locateRuntime();
  if (!existsSync(python)) return problem("not known before the environment is made");
  const { stdout, stderr, failed } = await execa(python, ["-c", TORCH], { reject: false, timeout: 120_000 });
  if (failed) {
    const last = stderr.trimEnd().split("\n").at(-1) ?? "it does not start";
    return problem(
      `PyTorch does not load: ${last}`,
      `Type: \`${isCheckout ? "npm run setup" : "lad setup"}\``,
    );
  }
  const { torch, cuda, gpus } = JSON.parse(stdout) as { torch: string; cuda: string | null; gpus: string[] };
  if (gpus.length > 0) return fine(`PyTorch ${torch}, ${gpus.join(", ")}: --device cuda`);
  const cores = `PyTorch ${torch}, ${availableParallelism()} CPU cores`;
  if (cuda === null) return fine(cores);
  return warning(
    `${cores}; it is built for CUDA ${cuda} and sees no GPU`,
    "nvidia-smi tells whether the driver does.",
  );
}

async function memory(): Promise<Finding> {
  const text = `${bytes(freemem())} of ${bytes(totalmem())} free`;
  if (freemem() >= LEAST_MEMORY) return fine(text);
  return warning(text, "End other programs: a small base needs about 1 GiB.");
}

async function home(): Promise<Finding> {
  const folder = homeFolder();
  try {
    makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return problem(`${folder} cannot be written (${code})`, "Name a folder in LAD_HOME that can be written.");
  }
  const { bavail, bsize } = await statfs(folder);
  const text = `${folder}, ${bytes(bavail * bsize)} free`;
  return bavail * bsize >= LEAST_DISK
    ? fine(text)
    : warning(text, "Free some space, or name another LAD_HOME.");
}

async function sockets(): Promise<Finding> {
  try {
    const folder = await mkdtemp(join(tmpdir(), "lad-"));
    await rm(folder, { recursive: true });
    return fine(`in ${tmpdir()}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return problem(`${tmpdir()} cannot be written (${code})`, "Name a folder in TMPDIR that can be written.");
  }
}

async function worker(): Promise<Finding> {
  const served = await servedWorker();
  if (served === undefined)
    return fine("none is served: a command starts one of its own (`lad serve` keeps one)");
  const { pid, connection } = served;
  const place = join(homeFolder(), "worker.json");
  try {
    await using runtime = await Runtime.start({ ...connection, startTimeoutMs: 10_000 });
    const { bases, adapters } = await runtime.info();
    const loaded = bases.map(({ name }) => name).join(", ") || "no base";
    const what = `process ${pid} serves one at ${connection.address}, its token in ${place}`;
    return fine(`${what}: ${loaded}, ${adapters.length} adapters`);
  } catch (error) {
    if (!isLadError(error)) throw error;
    return problem(`process ${pid} serves one that does not answer: ${error.message}`, `End it: kill ${pid}`);
  }
}

async function containers(): Promise<Finding> {
  for (const engine of ["docker", "podman"]) {
    const { failed, stdout } = await execa(engine, ["--version"], { reject: false, timeout: 10_000 });
    if (!failed) return fine(stdout.trim());
  }
  return fine("no engine: --device container-cpu and container-cuda need one");
}

function fine(text: string): Finding {
  return { state: "fine", text };
}

function warning(text: string, remedy?: string): Finding {
  return { state: "warning", text, remedy };
}

function problem(text: string, remedy?: string): Finding {
  return { state: "problem", text, remedy };
}
