import { describe, expect, it, vi } from "vitest";
import { planRuns, type RunPlanOptions } from "../../../sdk/src/index.js";
import { AdaptersService, RunsService } from "../../../sdk/src/wire.js";
import { finishedEvent, stepEvent, stubWorker } from "../support/stub-worker.js";

const data = [{ instruction: "Say a.", output: "a" }];

/** A worker whose steps take half a second each, and one that is slow to begin. */
async function plan(options: Partial<RunPlanOptions> & { steps: number }) {
  const { steps, ...rest } = options;
  const slow = { ...stepEvent(1).value, seconds: 30 } as never;
  const events = Array.from({ length: 50 }, (_, i) => stepEvent(i + 1));
  events[0] = { $case: "trainingStep", value: slow };
  const worker = await stubWorker([...events.slice(0, Math.min(steps, 50)), finishedEvent(steps)]);
  worker.transport.onCall(AdaptersService.dropAdapter, () => ({}));
  const training = { data, warmupSteps: 0, steps };
  const planned = await planRuns(worker.base, { adapter: { rank: 4 }, training, runs: 3, ...rest });
  return { planned, worker };
}

describe("a plan of runs", () => {
  it("takes all steps where they fit the time, and says how long they take", async () => {
    const { planned } = await plan({ steps: 100, seconds: 1_000 });
    expect(planned).toEqual({ steps: 100, seconds: 3 * 100 * 0.5 });
  });

  it("takes all steps where no time is given", async () => {
    expect((await plan({ steps: 100 })).planned.steps).toBe(100);
  });

  it("takes as many as fit beside whatever else each run does, in a round number", async () => {
    const { planned } = await plan({ steps: 1000, seconds: 720, beside: async () => 11 });
    expect(planned).toEqual({ steps: 450, seconds: 3 * (450 * 0.5 + 11) }); // (720 / 3 − 11) / 0.5 = 458
  });

  it("takes a tenth of the steps at least, and does not hide what that takes", async () => {
    const { planned } = await plan({ steps: 1000, seconds: 60, beside: async () => 40 });
    expect(planned).toEqual({ steps: 100, seconds: 3 * (100 * 0.5 + 40) });
  });

  it("measures a second of even steps, then ends the run and drops the adapter", async () => {
    const { worker } = await plan({ steps: 1000 });
    expect(worker.cancelled).toEqual(["run-1"]);
    expect(worker.transport.requestsOf(AdaptersService.dropAdapter)).toHaveLength(1);
  });

  it("measures what there is of a run that is shorter than that", async () => {
    const { planned, worker } = await plan({ steps: 2 });
    expect(planned).toEqual({ steps: 2, seconds: 3 * 2 * ((30 + 0.5) / 2) });
    expect(worker.cancelled).toEqual([]);
  });

  it("measures long steps for five seconds by the clock", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const worker = await stubWorker();
      worker.transport
        .onCall(AdaptersService.dropAdapter, () => ({}))
        .onStream(RunsService.streamEvents, async function* () {
          for (const [i, seconds] of [4, 2, 1, 1, 1].entries()) {
            if (worker.cancelled.length > 0) break;
            vi.advanceTimersByTime(1000 * seconds);
            const value = { ...stepEvent(i + 1).value, seconds } as never;
            yield { seq: BigInt(i), time: 0, event: { $case: "trainingStep" as const, value } };
          }
          const value = { steps: 2n };
          yield { seq: 5n, time: 0, event: { $case: "cancelled" as const, value } };
        });
      const training = { data, warmupSteps: 0, steps: 100 };
      const planned = await planRuns(worker.base, { adapter: { rank: 4 }, training, runs: 2 });
      expect(planned).toEqual({ steps: 100, seconds: 2 * 100 * ((4 + 2) / 2) });
      expect(worker.cancelled).toEqual(["run-1"]);
    } finally {
      vi.useRealTimers();
    }
  });
});
