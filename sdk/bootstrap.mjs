// The first thing that runs in a fresh clone: plain Node, no dependency.
//
//     node sdk/bootstrap.mjs [--with dev,smollm2] [script.ts [arguments…]]
//
// Installs node_modules as package-lock.json has it, has the Python environment made (sdk/src/setup), then runs the
// script. What it says goes to standard error; standard output is the script's alone.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./src/setup/lock.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 11];

const { extras, script } = parse(process.argv.slice(2));
await main();

async function main() {
  requireNode();
  if (!isInstalled()) await withLock(join(root, ".lad/install.lock"), install, waiting);
  const setup = ["sdk/src/cli/main.ts", "setup", ...(extras ? ["--with", extras] : [])];
  const code = (await runTypeScript(setup, 2)) || (script.length > 0 ? await runTypeScript(script, 1) : 0);
  process.exitCode = code;
}

/** @param {string[]} words */
function parse(words) {
  const extras = words[0] === "--with" ? words[1] : undefined;
  return { extras, script: extras === undefined ? words : words.slice(2) };
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  console.error(
    `lad needs Node ${OLDEST_NODE.join(".")} or newer; this is ${process.versions.node}. Install Node 22 or 24.`,
  );
  process.exit(1);
}

/**
 * Whether npm's own note of what it installed has every package of package-lock.json in the very same version. npm writes
 * it last, so an installation that was cut short does not count.
 */
function isInstalled() {
  const note = join(root, "node_modules/.package-lock.json");
  if (!existsSync(note)) return false;
  const installed = packagesOf(note);
  return Object.entries(packagesOf(join(root, "package-lock.json"))).every(([path, wanted]) => {
    if (path === "") return true;
    const found = installed[path];
    return found === undefined ? wanted.optional === true : found.integrity === wanted.integrity;
  });
}

/** @param {string} file @returns {Record<string, { integrity?: string, optional?: boolean }>} */
function packagesOf(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

async function install() {
  if (isInstalled()) return; // another process did it while this one waited
  console.error("lad: installing the Node packages of package-lock.json into node_modules (about 500 MB)");
  const code = await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], 2);
  if (code !== 0) {
    console.error(
      "lad: `npm ci` failed; its messages are above. Check the network, then run this command again.",
    );
    process.exit(code);
  }
}

/** @param {string[]} words @param {1 | 2} stdout which of our own streams gets its standard output */
function runTypeScript(words, stdout) {
  return run(process.execPath, ["--import", "tsx", ...words], stdout);
}

/**
 * Runs a command at the root, and waits. A Ctrl-C reaches it without us; a SIGTERM is passed on.
 * @param {string} command @param {string[]} words @param {1 | 2} stdout @returns {Promise<number>}
 */
function run(command, words, stdout) {
  const child = spawn(command, words, { cwd: root, stdio: ["inherit", stdout, 2] });
  const ignore = () => {};
  const forward = () => child.kill("SIGTERM");
  process.on("SIGINT", ignore).on("SIGTERM", forward);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.off("SIGINT", ignore).off("SIGTERM", forward);
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}

/** @param {number} holder */
function waiting(holder) {
  console.error(`lad: waiting for the installation that process ${holder} is doing`);
}
