/**
 * How long one client's short request takes while another's step of very many examples is under way, against the same request on an
 * idle worker: the 95th percentile over many, through SDK and gRPC.
 */
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { number, type Outcome } from "../harness/result.js";
import { median, percentile, spread } from "../harness/statistics.js";
import type { LoadRequest } from "../sides/sdk-runs.js";
import { inputsOf } from "./overhead.js";

const ADAPTER = { rank: 8, targets: ["q_proj", "v_proj"], seed: 1 };
const COUNTS = { steps: 100_000, iterations: 1 };
const BATCH_SIZE = 65_536;
const REQUESTS = 100;

export const neighbour: Figure = {
  about: "a short request's 95th percentile beside a step of 65,536 examples, against an idle worker",
  base: "stub",
  takes: [],

  async measure(bench: Bench): Promise<Outcome> {
    const side = bench.sdk("sdk-runs.ts");
    const request: LoadRequest = { ...bench.shared, ...ADAPTER };
    const facts = await side.load<BaseFacts>(request);
    await side.prepare({ ...(await inputsOf(bench, facts, COUNTS)), batchSize: BATCH_SIZE });
    const runs = [];
    for (let run = -1; run < bench.options.runs; run++) {
      const idle = await side.run({ what: "neighbour", requests: REQUESTS, busy: false });
      const busy = await side.run({ what: "neighbour", requests: REQUESTS, busy: true });
      const point = {
        idle: 1000 * percentile(idle.latencies ?? [], 0.95),
        busy: 1000 * percentile(busy.latencies ?? [], 0.95),
        longest: 1000 * percentile(busy.latencies ?? [], 1),
      };
      bench.say(
        `${run < 0 ? "warm-up" : `run ${run + 1}`}: idle ${number(point.idle)} ms, busy ${number(point.busy)} ms`,
      );
      if (run >= 0) runs.push(point);
    }
    return {
      result: {
        unit: "ms",
        ours: {
          ...spread(runs.map(({ busy }) => busy)),
          longest: spread(runs.map(({ longest }) => longest)),
        },
        reference: { ...spread(runs.map(({ idle }) => idle)) },
        ratio: median(runs.map(({ idle, busy }) => idle / busy)),
        runs,
        conditions: await conditionsOf(bench, facts, {
          ...ADAPTER,
          batchSize: BATCH_SIZE,
          requests: REQUESTS,
          reference: "ours, idle",
        }),
      },
      notes: [`the longest wait: ${number(Math.max(...runs.map(({ longest }) => longest)))} ms`],
    };
  },
};
