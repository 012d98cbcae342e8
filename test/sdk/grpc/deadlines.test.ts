import { expect, it } from "vitest";
import { METHODS } from "../../../sdk/src/gen/lad/v1/methods.js";
import { boundOf, QUESTION_MS } from "../../../sdk/src/grpc/deadlines.js";
import {
  AdaptersService,
  DataService,
  EvaluationService,
  isIdempotent,
  RunsService,
  SamplingService,
  TrainingService,
  WorkerService,
} from "../../../sdk/src/wire.js";

it("the protocol's options are known of every method of every service", () => {
  const services = [
    AdaptersService,
    DataService,
    EvaluationService,
    RunsService,
    SamplingService,
    TrainingService,
    WorkerService,
  ];
  const paths = services.flatMap((service) => Object.values(service).map(({ path }) => path as string));
  expect(Object.keys(METHODS).sort()).toEqual(paths.sort());
});

it("what makes or changes a thing under an id or a number may be sent again, what drops or removes one may not", () => {
  for (const method of [
    AdaptersService.createAdapter,
    TrainingService.forwardBackward,
    RunsService.listRuns,
    EvaluationService.score,
  ]) {
    expect(isIdempotent(method), method.path).toBe(true);
  }
  for (const method of [
    AdaptersService.dropAdapter,
    AdaptersService.deleteCheckpoint,
    AdaptersService.uploadAdapter,
    WorkerService.unloadBase,
  ]) {
    expect(isIdempotent(method), method.path).toBe(false);
  }
});

it("a question has seconds, what waits for the device as long as the worker lives", () => {
  expect(boundOf(WorkerService.getInfo, {})).toBe(QUESTION_MS);
  expect(boundOf(TrainingService.forwardBackward, {})).toBe("while-alive");
  expect(boundOf(RunsService.streamEvents, {})).toBe("while-alive");
});

it("asking for a data set waits: the worker may read the whole of it first", () => {
  expect(boundOf(DataService.hasDataset, {})).toBe("while-alive");
});

it("cancelling a run is a question, unless it waits for the run's end", () => {
  expect(boundOf(RunsService.cancelRun, { runId: "r", wait: false })).toBe(QUESTION_MS);
  expect(boundOf(RunsService.cancelRun, { runId: "r", wait: true })).toBe("while-alive");
});
