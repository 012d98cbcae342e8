/**
 * Whether a worker lives, and its memory stays what it is, while four clients ask for all it holds as fast as they can beside three
 * training runs that are cancelled and begun anew. Nothing is compared: a worker that dies is an error.
 */
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { number, type Outcome } from "../harness/result.js";
import { spread } from "../harness/statistics.js";
import type { StressLoad } from "../sides/sdk-stress.js";
import { inputsOf } from "./overhead.js";

const CLIENTS = 4;
const RUNS = 3;
const STEPS = 100_000;
const DEFAULT_MINUTES = 1;
const INTERVALS_A_MINUTE = 2;

export const stress: Figure = {
  about: "whether a worker lives, and its memory stays, under calls and runs without end",
  base: "stub",
  takes: ["minutes"],

  async measure(bench: Bench): Promise<Outcome> {
    const side = bench.sdk("sdk-stress.ts");
    const request: StressLoad = { ...bench.shared, runs: RUNS };
    const facts = await side.load<BaseFacts>(request);
    await side.prepare(await inputsOf(bench, facts, { steps: STEPS, iterations: 1 }));
    const minutes = bench.options.minutes ?? DEFAULT_MINUTES;
    const points: { seconds: number; calls: number; runs: number; mebibytes: number }[] = [];
    for (let interval = 1; interval <= minutes * INTERVALS_A_MINUTE; interval++) {
      const {
        seconds,
        calls = 0,
        runs = 0,
        residentBytes = Number.NaN,
      } = await side.run({
        clients: CLIENTS,
        seconds: 60 / INTERVALS_A_MINUTE,
      });
      const point = { seconds, calls, runs, mebibytes: residentBytes / 2 ** 20 };
      bench.say(
        `${interval / INTERVALS_A_MINUTE} min: ${number(calls)} calls, ${runs} runs, ${number(point.mebibytes)} MiB`,
      );
      points.push(point);
    }
    const total = (key: "calls" | "runs") => points.reduce((sum, point) => sum + point[key], 0);
    const memory = points.map(({ mebibytes }) => mebibytes);
    return {
      result: {
        unit: "calls/s",
        ours: { ...spread(points.map(({ calls, seconds }) => calls / seconds)), mebibytes: spread(memory) },
        reference: null,
        ratio: null,
        runs: points,
        conditions: await conditionsOf(bench, facts, { minutes, clients: CLIENTS, trainingRuns: RUNS }),
      },
      notes: [
        `${total("calls").toLocaleString("en-US")} calls, ${total("runs").toLocaleString("en-US")} runs; the worker held ` +
          `${number(memory[0] ?? Number.NaN)} MiB after the first half minute and ${number(memory.at(-1) ?? Number.NaN)} MiB at the end`,
      ],
    };
  },
};
