/**
 * How long a short sampling request takes while a training run keeps the worker busy, against the same request on an idle one:
 * the 95th percentile over many, through SDK and gRPC.
 */
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { number, type Outcome } from "../harness/result.js";
import { median, percentile, spread } from "../harness/statistics.js";
import type { LoadRequest } from "../sides/sdk-runs.js";
import { inputsOf } from "./overhead.js";

const ADAPTER = { rank: 16, targets: ["q_proj", "v_proj"], seed: 1 };
const COUNTS = { steps: 100_000, iterations: 4 };
const REQUESTS = { small: 60, large: 10 };
const SMALL_PARAMETERS = 10_000_000;

export const latency: Figure = {
  about: "a short request's 95th percentile while a training run is on, against an idle worker",
  base: "tiny",
  takes: [],

  async measure(bench: Bench): Promise<Outcome> {
    const side = bench.sdk("sdk-runs.ts");
    const request: LoadRequest = { ...bench.shared, ...ADAPTER };
    const facts = await side.load<BaseFacts>(request);
    const inputs = await inputsOf(bench, facts, COUNTS);
    await side.prepare(inputs);
    const requests = facts.parameters < SMALL_PARAMETERS ? REQUESTS.small : REQUESTS.large;
    const runs = [];
    for (let run = -1; run < bench.options.runs; run++) {
      const idle = await side.run({ what: "latency", requests, busy: false });
      const busy = await side.run({ what: "latency", requests, busy: true });
      const point = {
        idle: 1000 * percentile(idle.latencies ?? [], 0.95),
        busy: 1000 * percentile(busy.latencies ?? [], 0.95),
        step: 1000 * (busy.stepSeconds ?? Number.NaN),
      };
      bench.say(
        `${run < 0 ? "warm-up" : `run ${run + 1}`}: idle ${number(point.idle)} ms, busy ${number(point.busy)} ms`,
      );
      if (run >= 0) runs.push(point);
    }
    const bounds = runs.map(({ idle, busy, step }) => busy / (2 * idle + step));
    return {
      result: {
        unit: "ms",
        ours: { ...spread(runs.map(({ busy }) => busy)), shareOfBound: median(bounds) },
        reference: { ...spread(runs.map(({ idle }) => idle)) },
        ratio: median(runs.map(({ idle, busy }) => idle / busy)),
        runs,
        conditions: await conditionsOf(bench, facts, {
          ...ADAPTER,
          iterations: COUNTS.iterations,
          answerTokens: inputs.answerTokens,
          requests,
          reference: "ours, idle",
        }),
      },
      notes: [
        `a training step takes ${number(median(runs.map(({ step }) => step)))} ms; twice the idle time and one step would be ` +
          `${number(median(runs.map(({ idle, step }) => 2 * idle + step)))} ms`,
      ],
    };
  },
};
