import { expect, it } from "vitest";
import { BOUNDS, boundOf, QUESTION_MS } from "../../../sdk/src/grpc/deadlines.js";
import {
  AdaptersService,
  DataService,
  EvaluationService,
  RunsService,
  SamplingService,
  TrainingService,
  WorkerService,
} from "../../../sdk/src/wire.js";

it("every method of every service has a bound", () => {
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
  expect([...BOUNDS.keys()].sort()).toEqual(paths.sort());
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
