/** The trainings that `lad train` began, and what their adapters are to be called: a file each in `trainings` of `$LAD_HOME`. */
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../make-folder.js";
import { homeFolder } from "../../setup/locate.js";

/** Notes a training, so that whoever follows it to its end keeps its adapter. */
export async function noteTraining(runId: string, name: string): Promise<void> {
  makeFolder(folder());
  await writeFile(fileOf(runId), name);
}

/** What the adapter of a run is to be called; undefined for one that `lad train` did not begin, or whose adapter is kept already. */
export async function nameOfTraining(runId: string): Promise<string | undefined> {
  return (await readFile(fileOf(runId), "utf8").catch(() => "")) || undefined;
}

/** Takes a note away; false if another command has. Of several that follow one run, one keeps its adapter. */
export async function forgetTraining(runId: string): Promise<boolean> {
  try {
    await unlink(fileOf(runId)); // where several try, it succeeds once
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function fileOf(runId: string): string {
  return join(folder(), runId.replaceAll(/[^A-Za-z0-9-]/g, "_"));
}

function folder(): string {
  return join(homeFolder(), "trainings");
}
