/** Follows a training run to its end, and keeps what it has trained. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Adapter,
  isLadError,
  LadError,
  type Run,
  type RunInfo,
  type Runtime,
  recipeFor,
  type TrainingFinished,
} from "../../index.js";
import { drawTraining, LiveBlock, number } from "../../report/index.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { freeName, library, libraryFolder } from "./library.js";
import { dropQuietly } from "./model.js";
import { forgetTraining, noteTraining } from "./trainings.js";

/** Between two looks at whether a step is taken. */
const STEP_MS = 50;

/** What the checkpoint of a run's best validation is called, by the name of its own. */
export function bestOf(checkpoint: string): string {
  return `${checkpoint.slice(0, 59)}-best`;
}

/** A run to follow. */
export interface Followed {
  readonly runtime: Runtime;
  readonly run: Run;
  /** What the adapter is to be called. */
  readonly name: string;
  /** Whether the worker goes on when this process ends. */
  readonly isShared: boolean;
  /** Whether events go to standard output as lines of JSON. */
  readonly json: boolean;
}

/**
 * Draws the run until it ends, then puts its adapter into the library. When the user leaves, the run is paused: a worker that goes on keeps
 * it so, one that ends writes its checkpoint.
 */
export async function followTraining(cli: Cli, followed: Followed): Promise<void> {
  const { run } = followed;
  try {
    const finished = await drawn(cli, followed);
    if (finished === undefined) throw await cancelledElsewhere(followed);
    if (await forgetTraining(run.id)) await keepOrNote(cli, followed, finished);
    else note(cli, `The run ${run.id} is finished.`); // another follower has kept it, or no command of ours began it
  } catch (error) {
    if (!cli.leaving.signal.aborted || !isLadError(error, "cancelled")) throw error;
    note(cli, leftText(await paused(run)));
  }
}

/** Says how a run was left, and what to type. */
function leftText({ id, state, steps, totalSteps }: RunInfo): string {
  if (state === "finished") return `The run ${id} is finished. \`lad runs resume ${id}\` keeps its adapter.`;
  if (state === "failed" || state === "cancelled") return `The run ${id} is ${state}.`;
  return `Paused after ${steps} of ${totalSteps} steps. \`lad runs resume ${id}\` goes on.`;
}

/**
 * Has a training wait after its current step, and tells how it then stands: a worker that ends now ends it there. One that is over stays
 * as it is.
 */
async function paused(run: Run): Promise<RunInfo> {
  try {
    await run.pause();
  } catch (error) {
    if (!isLadError(error, "invalid-state")) throw error;
  }
  return stoppedInfo(run);
}

/** The run when its current step is taken. */
export async function stoppedInfo(run: Run, signal?: AbortSignal): Promise<RunInfo> {
  for (;;) {
    const info = await run.info({ signal });
    if (info.state !== "running") return info;
    await sleep(STEP_MS);
  }
}

/** The run's end; undefined if somebody cancelled it. */
async function drawn(cli: Cli, { run, name, json }: Followed): Promise<TrainingFinished | undefined> {
  const { totalSteps } = await run.info();
  let finished: TrainingFinished | undefined;
  const told = async function* () {
    for await (const { event } of run.events({ signal: cli.leaving.signal })) {
      if (json) printJson(cli, event);
      if (event.type === "failed") throw event.error;
      if (event.type === "interrupted") throw workerEnded(run, event.steps);
      if (event.type === "finished") finished = event;
      yield event;
    }
  };
  await drawTraining(new LiveBlock({ output: cli.stderr }), name, totalSteps, told());
  return finished;
}

function workerEnded(run: Run, steps: number): LadError {
  return new LadError("unavailable", `The worker ended after ${steps} steps.`, {
    remedy: `\`lad runs resume ${run.id}\` goes on from the last checkpoint.`,
  });
}

async function cancelledElsewhere({ runtime, run }: Followed): Promise<LadError> {
  const { adapterId, steps, totalSteps } = await run.info();
  if (await forgetTraining(run.id))
    await dropQuietly(await runtime.adapter(adapterId).catch(() => undefined));
  return new LadError("cancelled", `The training was cancelled after ${steps} of ${totalSteps} steps.`);
}

/** Keeps the adapter; where that fails, notes again that it is to be kept. */
async function keepOrNote(cli: Cli, followed: Followed, finished: TrainingFinished): Promise<void> {
  const { run, name } = followed;
  try {
    await keep(cli, followed, finished);
  } catch (error) {
    await noteTraining(run.id, name);
    note(
      cli,
      `The training is finished, its adapter is not kept yet: \`lad runs resume ${run.id}\` tries again.`,
    );
    throw error;
  }
}

async function keep(
  cli: Cli,
  { runtime, run, name, isShared, json }: Followed,
  { validation, report, seconds, best, stopped }: TrainingFinished,
): Promise<void> {
  const { created, checkpoint } = await run.info();
  const adapter = await trainedAdapter(runtime, run);
  const older = (await library()).find((other) => other.name === name);
  const kept = older !== undefined && older.saved > created ? await freeName(name) : name;
  const folder = libraryFolder(kept);
  await adapter.save(folder, { overwrite: true });
  if (isShared) await adapter.drop();
  for (const spent of [checkpoint, best?.checkpoint]) if (spent) await runtime.deleteCheckpoint(spent);
  if (json) {
    printJson(cli, { type: "saved", name: kept, folder });
    return;
  }
  if (stopped === "early" && best)
    note(cli, `Ended early: the best validation was after ${best.step} steps.`);
  const ce = validation?.corruptedCe ?? report?.corruptedCe;
  const of = validation === undefined ? "of its last examples" : "of held-out questions";
  note(cli, `CE ${number(ce)} nats a corrupted token ${of}, in ${Math.round(seconds)} s.`);
  print(cli, kept);
  note(cli, `Kept in ${folder}. \`lad chat --adapter ${kept}\` talks to it.`);
  note(cli, "It was saved last, so it also answers where no --adapter is given.");
}

/** The adapter of a finished run: resident, or of the run's last checkpoint where its worker has ended since. */
async function trainedAdapter(runtime: Runtime, run: Run): Promise<Adapter> {
  const { adapterId, baseName, checkpoint } = await run.info();
  try {
    return await runtime.adapter(adapterId);
  } catch (error) {
    if (!isLadError(error, "not-found")) throw error;
    const base = await runtime.loadBase(baseName, recipeFor(baseName).base);
    return base.loadCheckpoint(checkpoint);
  }
}
