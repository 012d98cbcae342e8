/** Where things are in a checkout, for the tools that package.json's scripts run. */
import { delimiter, join, resolve } from "node:path";
import { locateRuntime } from "../src/setup/locate.js";

/** The repository's root. */
export const root = resolve(import.meta.dirname, "../..");

/** The virtual environment's Python, and the variables with which it finds `lad_runtime`. */
export function pythonOfCheckout(): { python: string; env: Record<string, string> } {
  const { python, runtimeFolder } = locateRuntime();
  return { python, env: { PYTHONPATH: runtimeFolder } };
}

/** Options of execa for a tool that runs at the root, with node_modules' commands on the path and its errors shown. */
export function inFolder(env: Record<string, string> = {}) {
  const path = [join(root, "node_modules/.bin"), process.env.PATH ?? ""].join(delimiter);
  return { cwd: root, env: { ...env, PATH: path }, stderr: "inherit", stdout: "inherit" } as const;
}
