/** Makes the worker's Python environment. Idempotent, fast if nothing is missing, and safe to run concurrently. */
import { accessSync, appendFileSync, constants, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { LadError } from "../errors.js";
import { isFolder, makeFolder } from "../make-folder.js";
import { type Group, missingGroups, requirementsFile, stampGroup } from "./groups.js";
import { locateRuntime, type RuntimeLocation } from "./locate.js";
import { withLock } from "./lock.mjs";
import { findPython } from "./python.js";

/** Options of `setUp`. */
export interface SetUpOptions {
  groups: readonly Group[];
  /** Called with each line of progress. */
  log: (line: string) => void;
  location?: RuntimeLocation;
  /** The package index for torch, a CPU or a CUDA one. Default: the variable `LAD_TORCH_INDEX_URL`, then pip's own. */
  torchIndexUrl?: string | undefined;
}

/**
 * Installs the missing ones of `groups`; returns at once if none is missing.
 *
 * It installs torch first and alone, so that torch's build comes from the given index and no later installation replaces it.
 *
 * @throws LadError `setup-failed` with the last lines of the failed command and the path of the whole log.
 */
export async function setUp(options: SetUpOptions): Promise<void> {
  const location = options.location ?? locateRuntime();
  const environment = location.environmentFolder;
  const requirements = join(location.runtimeFolder, "requirements");
  if (missingGroups(options.groups, environment, requirements).length === 0) return;
  checkPlace(environment);
  const waiting = (holder: number) => options.log(`waiting for the set-up that process ${holder} is doing`);
  await withLock(
    `${environment}.lock`,
    async () => {
      const missing = missingGroups(options.groups, environment, requirements);
      if (missing.length === 0) return;
      announce(missing, environment, options);
      await makeEnvironment(environment, options.log);
      for (const group of missing) {
        await installGroup(group, environment, requirements, options);
        stampGroup(group, environment, requirements);
      }
      options.log("set-up done");
    },
    waiting,
  );
}

/** Makes the folder that the environment lies in. */
function checkPlace(environment: string): void {
  const home = dirname(environment);
  try {
    makeFolder(home);
    accessSync(home, constants.W_OK);
    if (existsSync(environment) && !isFolder(environment)) throw new Error("a file is in its place");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const text = `The environment's folder ${environment} cannot be made: ${code ?? message}.`;
    throw new LadError("setup-failed", text, {
      option: "LAD_HOME",
      value: home,
      remedy: "Name a folder that can be written in LAD_HOME, then run the set-up again.",
      cause,
    });
  }
}

function announce(missing: readonly Group[], environment: string, options: SetUpOptions): void {
  const index = torchIndex(options);
  options.log(`setting up the worker's Python environment in ${environment}, as far as it is not there yet`);
  if (missing.includes("core")) {
    options.log(
      index
        ? `will download PyTorch from ${withoutSecrets(index)} (a CPU build is about 0.2 GB, a CUDA build 3 GB and more)`
        : "will download PyTorch from pip's index (on Linux its build has CUDA inside: 3 GB and more; for a CPU build of 0.2 GB give an index in LAD_TORCH_INDEX_URL)",
    );
    options.log("will download gRPC, protobuf, safetensors, tokenizers and what they need (about 60 MB)");
  }
  if (missing.includes("data")) options.log("will download datasets and what it needs (about 80 MB)");
  if (missing.includes("dev")) {
    options.log(
      "will download transformers, peft, datasets, pytest, mypy, ruff and what they need (about 150 MB)",
    );
  }
  if (missing.includes("smollm2")) options.log("will download the base smollm2-135m (about 140 MB)");
}

/** Makes the virtual environment, or makes it again if its interpreter is gone. */
async function makeEnvironment(environment: string, log: (line: string) => void): Promise<void> {
  if (existsSync(join(environment, "bin/python")) && existsSync(join(environment, "pyvenv.cfg"))) return;
  const python = await findPython();
  log(`making a virtual environment with Python ${python.version} (${python.executable})`);
  await step(
    "make the virtual environment",
    python.executable,
    ["-m", "venv", "--clear", environment],
    environment,
  );
}

async function installGroup(
  group: Group,
  environment: string,
  requirements: string,
  options: SetUpOptions,
): Promise<void> {
  const constraints = ["--constraint", requirementsFile("constraints", requirements)];
  const wanted = ["--requirement", requirementsFile(group, requirements)];
  if (group === "core") {
    const index = torchIndex(options);
    options.log("installing PyTorch");
    await pip(
      ["--no-deps", ...constraints, ...(index ? ["--index-url", index] : []), "torch"],
      environment,
      options.log,
    );
  }
  options.log(`installing the packages of ${group}`);
  await pip(
    [...(group === "smollm2" ? ["--no-deps"] : []), ...constraints, ...wanted],
    environment,
    options.log,
  );
}

/** Between two signs of life. */
const STILL_MS = 30_000;

async function pip(words: readonly string[], environment: string, log: SetUpOptions["log"]): Promise<void> {
  const quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  const command = ["-m", "pip", "install", ...quiet, ...words];
  const started = performance.now();
  const still = () => log(`still installing, ${Math.round((performance.now() - started) / 1000)} s so far`);
  const timer = setInterval(still, STILL_MS);
  try {
    await step("install Python packages", join(environment, "bin/python"), command, environment);
  } finally {
    clearInterval(timer);
  }
}

/** Runs one command and appends its output to `lad-setup.log` in the environment. */
async function step(what: string, command: string, words: readonly string[], environment: string) {
  const { all, failed, exitCode } = await execa(command, words, { all: true, reject: false });
  const log = join(environment, "lad-setup.log");
  if (existsSync(environment))
    appendFileSync(log, `${withoutSecrets([command, ...words].join(" "))}\n${all}\n`);
  if (!failed) return;
  const lines = (all ?? "").trimEnd().split("\n").slice(-12).join("\n");
  throw new LadError("setup-failed", `The set-up could not ${what} (exit code ${exitCode}):\n${lines}\n`, {
    remedy: `The whole log is ${log}. Check the network, the free disk space and LAD_TORCH_INDEX_URL, then run the set-up again.`,
  });
}

function torchIndex(options: SetUpOptions): string | undefined {
  return (options.torchIndexUrl ?? process.env.LAD_TORCH_INDEX_URL) || undefined;
}

/** Removes the user names and passwords of URLs, which no log should show. */
function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/g, "//***@");
}
