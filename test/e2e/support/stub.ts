/** What the end-to-end tests share: a small worker, data for the base `stub`, and ways to compare what came out. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Adapter,
  type Answer,
  type LocalOptions,
  Runtime,
  type SampleRun,
  type TrainingEvent,
} from "lad";

export { scratchFolder } from "../../sdk/support/folders.js";
export { EXAMPLES } from "./examples.js";

/** A worker on one thread, with a store of its own. */
export function startRuntime(stateFolder: string, options: LocalOptions = {}): Promise<Runtime> {
  return Runtime.start({ threads: 1, stateFolder, onWarning: () => {}, ...options });
}

/** Everything that an event tells but how long it took. */
export function untimed(events: readonly TrainingEvent[]) {
  return events.map((event) => {
    const { seconds: _, tokensPerSecond: __, ...rest } = { seconds: 0, tokensPerSecond: 0, ...event };
    return rest;
  });
}

/** The files of an adapter as it is saved, by name. */
export async function adapterFiles(adapter: Adapter, scratch: string): Promise<Record<string, string>> {
  const folder = join(mkdtempSync(join(scratch, "saved-")), "adapter");
  await adapter.save(folder);
  const telling = ["lad.json", "README.md"]; // how it was trained
  const made = readdirSync(folder).filter((name) => !telling.includes(name));
  return Object.fromEntries(made.map((name) => [name, readFileSync(join(folder, name)).toString("hex")]));
}

/** An answer, and what was sampled and masked in each iteration on the way there. */
export async function denoised(run: SampleRun): Promise<{ rounds: Round[]; answer: Answer }> {
  const rounds: Round[] = [];
  for await (const { answer: ids, masked } of run) rounds.push({ ids, masked });
  return { rounds, answer: await run.result() };
}

export interface Round {
  readonly ids: readonly number[];
  /** Positions that the next input masks. */
  readonly masked: number;
}

export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
