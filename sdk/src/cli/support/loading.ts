/** Bases on their way into the worker. */
import type { Base, LoadProgress, Recipe, Runtime } from "../../index.js";
import { bytes } from "../../report/index.js";
import type { Cli } from "../cli.js";
import { CountBar } from "./count-bar.js";

/** Smaller ones are there before a bar could be read. */
const LEAST_BYTES = 2 ** 26;

/** Loads a base as its recipe has it, and draws how far it is where that takes long. */
export async function loadBase(cli: Cli, runtime: Runtime, name: string, recipe: Recipe): Promise<Base> {
  const bar = new CountBar(cli, bytes);
  const onProgress = ({ phase, doneBytes, totalBytes }: LoadProgress) => {
    if (totalBytes >= LEAST_BYTES) bar.update(`${name}: ${phase}`, doneBytes, totalBytes);
  };
  try {
    return await runtime.loadBase(name, { ...recipe.base, onProgress, signal: cli.leaving.signal });
  } finally {
    bar.finish();
  }
}
