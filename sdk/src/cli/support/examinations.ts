/** What `lad doctor` looks at, one thing at a time. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { access, constants, readFile, rm, statfs } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { availableParallelism, freemem, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { messageAlone } from "../../errors.js";
import { BUILD_VERSION, type Connection, isLadError, Runtime, servedWorker } from "../../index.js";
import { makeFolder } from "../../make-folder.js";
import { bytes } from "../../report/index.js";
import { requirementsFile } from "../../setup/groups.js";
import { homeFolder, locateRuntime, requireRuntime } from "../../setup/locate.js";
import { findPython } from "../../setup/python.js";
import { socketFolder, socketIn } from "../../setup/socket-folder.js";

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

const UNKNOWN = "not known before the environment is made";

/** Bytes that the environment with a CPU build of PyTorch, or a base with its adapters, needs at the least. */
const LEAST_DISK = 2 * 2 ** 30;
const LEAST_MEMORY = 2 ** 30;
/** A worker that is there answers at once. */
const ANSWER_MS = 3_000;

/** What a user types who can do no better: such folders have no sockets. */
const ELSEWHERE =
  "Set TMPDIR to a folder of a disk of this machine: folders that are shared with Windows, a container or a network may have no sockets.";

/** The versions of the worker and of the packages that are named behind the program; of one that is not there null. */
const VERSIONS = `
import json, sys
from importlib.metadata import PackageNotFoundError, version
from lad_runtime.version import BUILD_VERSION
def found(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
print(json.dumps({"worker": BUILD_VERSION, "packages": {name: found(name) for name in sys.argv[1:]}}))`;

const TORCH = `
import json, sys, torch
cuda = torch.cuda.is_available()
print(json.dumps({"torch": torch.__version__, "python": sys.version.split()[0], "cuda": torch.version.cuda,
                  "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else []}))`;

/** In the order in which one thing needs another. */
export const EXAMINATIONS: readonly Examination[] = [
  { name: "lad", look: lad },
  { name: "node", look: node },
  { name: "python", look: python },
  { name: "environment", look: environment },
  { name: "packages", look: packages },
  { name: "device", look: device },
  { name: "memory", look: memory },
  { name: "home", look: home },
  { name: "sockets", look: sockets },
  { name: "worker", look: worker },
  { name: "containers", look: containers },
];

async function lad(): Promise<Finding> {
  return fine(`${BUILD_VERSION} in ${locateRuntime().packageFolder}`);
}

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

async function packages(): Promise<Finding> {
  const { python, runtimeFolder } = locateRuntime();
  if (!existsSync(python)) return problem(UNKNOWN);
  const core = await readFile(requirementsFile("core", join(runtimeFolder, "requirements")), "utf8");
  const names = core.match(/^[a-z][a-z0-9-]*/gm) ?? [];
  const env = { PYTHONPATH: runtimeFolder };
  const asked = await execa(python, ["-c", VERSIONS, ...names], { env, reject: false, timeout: 60_000 });
  if (asked.failed) return problem(`Python does not start: ${lastLine(asked.stderr)}`, setUpRemedy());
  const { worker, packages } = JSON.parse(asked.stdout) as {
    worker: string;
    packages: Record<string, string | null>;
  };
  const absent = names.filter((name) => packages[name] === null);
  if (absent.length > 0) return problem(`not installed: ${absent.join(", ")}`, setUpRemedy());
  return fine([`worker ${worker}`, ...names.map((name) => `${name} ${packages[name]}`)].join(", "));
}

async function device(): Promise<Finding> {
  const { python } = locateRuntime();
  if (!existsSync(python)) return problem(UNKNOWN);
  const { stdout, stderr, failed } = await execa(python, ["-c", TORCH], { reject: false, timeout: 120_000 });
  if (failed) return problem(`PyTorch does not load: ${lastLine(stderr)}`, setUpRemedy());
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

/** Opens a socket where a worker's would be, and reaches it. */
async function sockets(): Promise<Finding> {
  let folder: string | undefined;
  try {
    folder = await socketFolder();
    await reachSocket(socketIn(folder));
    return fine(`one opens in ${dirname(folder)}`);
  } catch (error) {
    if (isLadError(error)) return problem(error.message);
    const { code } = error as NodeJS.ErrnoException;
    return problem(`none opens in ${tmpdir()} (${code})`, ELSEWHERE);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true });
  }
}

async function reachSocket(path: string): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(path);
    await once(server, "listening");
    const client = connect(path);
    await once(client, "connect");
    client.destroy();
  } finally {
    server.close();
  }
}

/** The worker that commands would use: the one that LAD_WORKER names, else the one that is served. */
async function worker(): Promise<Finding> {
  const { LAD_WORKER: address, LAD_TOKEN: token } = process.env;
  if (address) {
    const remedy = "Start it, name another, or unset LAD_WORKER: a command then finds or starts one itself.";
    if (!token)
      return problem(`LAD_WORKER names ${address}, and LAD_TOKEN no token`, "Set LAD_TOKEN to its token.");
    return answering({ address, token }, `LAD_WORKER names one at ${address}`, remedy);
  }
  const served = await servedWorker();
  if (served === undefined)
    return fine("none is served: a command starts one of its own (`lad serve` keeps one)");
  const { pid, connection } = served;
  const place = join(homeFolder(), "worker.json");
  const what = `process ${pid} serves one at ${connection.address}, its token in ${place}`;
  return answering(connection, what, `End it: kill ${pid}`);
}

async function answering(connection: Connection, what: string, remedy: string): Promise<Finding> {
  try {
    await using runtime = await Runtime.start({ ...connection, startTimeoutMs: ANSWER_MS });
    const { bases, adapters, torchVersion } = await runtime.info();
    const loaded = bases.map(({ name }) => name).join(", ") || "no base";
    return fine(`${what}: ${loaded}, ${adapters.length} adapters, PyTorch ${torchVersion}`);
  } catch (error) {
    if (!isLadError(error)) throw error;
    return problem(`${what}, which does not answer: ${messageAlone(error)}`, remedy);
  }
}

async function containers(): Promise<Finding> {
  for (const engine of ["docker", "podman"]) {
    const { failed, stdout } = await execa(engine, ["--version"], { reject: false, timeout: 10_000 });
    if (!failed) return fine(stdout.trim());
  }
  return fine("no engine: --device container-cpu and container-cuda need one");
}

function lastLine(stderr: string): string {
  return stderr.trimEnd().split("\n").at(-1) || "it does not start";
}

function setUpRemedy(): string {
  return `Type: \`${locateRuntime().isCheckout ? "npm run setup" : "lad setup"}\``;
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
