/** Trainings in the demo: started, listed, and followed line by line. */
import type { Adapter, Base, DataSource, Recipe, Runtime } from "../index.js";
import type { RunLine, ShownRun, TrainingRequest } from "./messages.js";
import { trainings } from "./models.js";

/** What is learnt in the demo, and what is held out of it. */
export interface TrainingData {
  readonly train: DataSource;
  readonly heldout: DataSource;
}

/** Validations of a run that is started here. */
const VALIDATIONS = 10;
const VALIDATION_EXAMPLES = 64;

/**
 * Starts a training as the recipe has it. It goes on when nobody follows it.
 *
 * @returns the run's id, and what it trains
 * @throws LadError as making an adapter and training it do
 */
export async function startTraining(
  base: Base,
  { adapter: settings, training }: Recipe,
  { train, heldout }: TrainingData,
  { rank, steps, seed }: TrainingRequest,
): Promise<{ readonly id: string; readonly adapter: Adapter }> {
  const adapter = await base.createAdapter({ ...settings, rank, seed });
  const validation = {
    data: heldout,
    everySteps: Math.max(1, Math.ceil(steps / VALIDATIONS)),
    maxExamples: VALIDATION_EXAMPLES,
  };
  try {
    const run = adapter.train({ ...training, steps, seed, data: train, validation, detached: true });
    return { id: await run.start(), adapter };
  } catch (error) {
    await adapter[Symbol.asyncDispose]();
    throw error;
  }
}

/** The training runs on the base, the last one first. */
export async function listTrainings(runtime: Runtime, base: Base): Promise<ShownRun[]> {
  const resident = new Set((await runtime.info()).adapters.map(({ id }) => id));
  const runs = await trainings(runtime, base);
  return runs.reverse().map(({ id, state, checkpoint, steps, totalSteps, created, adapterId }) => ({
    id,
    state,
    checkpoint,
    steps,
    totalSteps,
    created: created.toISOString(),
    model: resident.has(adapterId) ? `run:${id}` : undefined,
  }));
}

/** A run's events so far, then those to come, up to its last. Leaving does not end the run. */
export async function* followed(runtime: Runtime, id: string, signal: AbortSignal): AsyncGenerator<RunLine> {
  for await (const { event } of runtime.run(id).events({ signal })) {
    switch (event.type) {
      case "frame":
      case "answer":
      case "sampled":
        break;
      case "failed":
        yield { type: "error", code: event.error.code, message: event.error.message };
        break;
      case "interrupted":
        yield { type: "interrupted" };
        break;
      default:
        yield event;
    }
  }
}
