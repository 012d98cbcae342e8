/** From `Runtime.start` to a worker that answers, against the bare import of PyTorch; and from there to a loaded base. */
import type { Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { compared, number, type Outcome, type Unit } from "../harness/result.js";
import { spread } from "../harness/statistics.js";
import { takeTurns } from "../harness/turns.js";

const WARMUPS = 1;

const UNIT: Unit = { name: "s", better: "lower", of: ({ seconds }) => seconds };

export const startup: Figure = {
  about: "starting a worker and loading a base, against PyTorch's import",
  base: "smollm2-135m",
  takes: [],

  async measure(bench: Bench): Promise<Outcome> {
    const ours = bench.sdk("sdk-startup.ts");
    const reference = bench.ours("reference", "import_torch");
    const sides = { ours, reference };
    for (const side of [ours, reference]) await side.load(bench.shared);
    const { runs } = bench.options;
    const rounds = await takeTurns(sides, { runs, warmups: WARMUPS, say: bench.say });
    const { ours: ready, reference: imported, ...result } = compared(sides, rounds, UNIT);
    const load = spread(rounds.map(({ ours: { loadSeconds = 0 } }) => loadSeconds));
    return {
      result: {
        ...result,
        ours: { ...spread(rounds.map(({ ours: { seconds } }) => seconds)), load },
        reference: imported && { median: imported.median, min: imported.min, max: imported.max },
        conditions: await conditionsOf(bench, {}, { warmups: WARMUPS, reference: "import torch" }),
      },
      notes: [
        `ready after ${number(ready.median)} s; ${bench.options.base} loaded ${number(load.median)} s later`,
      ],
    };
  },
};
