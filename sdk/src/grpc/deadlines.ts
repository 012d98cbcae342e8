/**
 * How long a call may take where its caller does not say.
 *
 * A question is answered from what the worker's server knows, whatever is being computed: it has seconds. Everything else waits for
 * the device, the disk, the hub or other people's requests. How long that takes depends on the base, the machine and the load (a
 * micro-step of a large base takes minutes on a CPU), so that no number would be right for it: it goes on for as long as the worker
 * lives.
 */
import type { Method } from "../transport.js";
import {
  AdaptersService,
  DataService,
  EvaluationService,
  RunsService,
  SamplingService,
  TrainingService,
  WorkerService,
} from "../wire.js";

/** The longest wait in milliseconds, or for as long as the worker lives. */
export type Bound = number | "while-alive";

/** For what is answered at once, on a machine that is busy. */
export const QUESTION_MS = 30_000;

/** The bound of a call. */
export function boundOf({ path }: Pick<Method<never, never>, "path">, request: unknown): Bound {
  const isWaiting = path === RunsService.cancelRun.path && (request as { wait?: boolean }).wait === true;
  return isWaiting ? "while-alive" : (BOUNDS.get(path) ?? "while-alive");
}

const QUESTIONS = [
  WorkerService.handshake,
  WorkerService.getInfo,
  RunsService.getRun,
  RunsService.listRuns,
  RunsService.cancelRun, // unless it waits for the run's end
  RunsService.pauseRun,
  AdaptersService.getAdapter,
];

const WAITING = [
  WorkerService.hold,
  WorkerService.loadBase,
  WorkerService.unloadBase,
  RunsService.resumeRun,
  RunsService.streamEvents,
  AdaptersService.createAdapter,
  AdaptersService.dropAdapter,
  AdaptersService.snapshotAdapter,
  AdaptersService.downloadAdapter,
  AdaptersService.uploadAdapter,
  AdaptersService.saveCheckpoint,
  AdaptersService.loadCheckpoint,
  AdaptersService.deleteCheckpoint,
  DataService.hasDataset, // hashes and parses a stored file before its first use
  DataService.uploadDataset,
  DataService.openDataset,
  DataService.prepareDataset,
  DataService.streamExamples,
  DataService.encode,
  DataService.decode,
  DataService.render,
  TrainingService.startTraining,
  TrainingService.forwardBackward,
  TrainingService.optimStep,
  TrainingService.validate,
  SamplingService.startSampling,
  SamplingService.predict,
  EvaluationService.score,
];

/** By the method's path. */
export const BOUNDS: ReadonlyMap<string, Bound> = new Map<string, Bound>([
  ...QUESTIONS.map(({ path }) => [path, QUESTION_MS] as const),
  ...WAITING.map(({ path }) => [path, "while-alive"] as const),
]);
