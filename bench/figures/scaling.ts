/**
 * How the time of a denoising iteration's forward grows: with the canvases, with their length, with the adapters that share a
 * batch, and with the threads. There is no reference; every point is a median of its own.
 */
import { type Column, renderTable } from "../../sdk/src/report/table.js";
import type { BaseFacts, Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { tokenIds } from "../harness/inputs.js";
import { number, type Outcome, type Unit } from "../harness/result.js";
import type { Side } from "../harness/side.js";
import { type Spread, spread } from "../harness/statistics.js";
import { takeTurns } from "../harness/turns.js";

/** What one forward is over. */
interface Point {
  readonly grows: "canvases" | "length" | "adapters" | "threads";
  readonly threads: number;
  readonly canvases: number;
  /** Of each canvas, half of them the answer. */
  readonly tokens: number;
  readonly adapters: number;
}

const ADAPTERS = 64;
const CANVAS_TOKENS = 64;
const FULL: Omit<Point, "grows" | "threads"> = { canvases: 32, tokens: CANVAS_TOKENS, adapters: 1 };
const WARMUPS = 1;

const UNIT: Unit = {
  name: "tokens/s",
  better: "higher",
  of: ({ tokens = 0, seconds }) => tokens / seconds,
};

export const scaling: Figure = {
  about: "a forward's tokens/s by canvases, length, adapters and threads",
  base: "smollm2-135m",
  takes: ["profile"],

  async measure(bench: Bench): Promise<Outcome> {
    const { threads, profile } = bench.options;
    const all = await loaded(bench, threads, ADAPTERS);
    const measured: (Point & Spread)[] = [];
    for (const point of pointsOf(all.facts.maxPositions, threads)) {
      measured.push({ ...point, ...(await measure(bench, all.side, point)) });
    }
    if (profile !== undefined) await all.side.profile(profile, FULL);
    for (let fewer = 1; fewer < threads; fewer *= 2) {
      const { side } = await loaded(bench, fewer, FULL.adapters);
      const point: Point = { grows: "threads", threads: fewer, ...FULL };
      measured.push({ ...point, ...(await measure(bench, side, point)) });
      await side.close();
    }
    const point: Point = { grows: "threads", threads, ...FULL };
    const full = await measure(bench, all.side, point);
    measured.push({ ...point, ...full });
    return {
      result: {
        unit: UNIT.name,
        ours: { ...full },
        reference: null,
        ratio: null,
        runs: measured,
        conditions: await conditionsOf(bench, all.facts, { ...FULL, warmups: WARMUPS }),
      },
      notes: ["", plotted(measured)],
    };
  },
};

/** A side on so many threads. */
async function loaded(bench: Bench, threads: number, adapters: number) {
  const side = bench.ours("ours", "forwards", threads);
  const facts = await side.load<BaseFacts>({ ...bench.shared, threads, adapters });
  await side.prepare({ ids: tokenIds(Math.min(facts.maxPositions, 2048), 0, facts) });
  return { side, facts };
}

function pointsOf(maxPositions: number, threads: number): Point[] {
  const counts = [1, 2, 4, 8, 16, 32, 64];
  const lengths = [64, 128, 256, 512, 1024, 2048].filter((tokens) => tokens <= maxPositions);
  return [
    ...counts.map((canvases) => ({
      grows: "canvases" as const,
      canvases,
      tokens: CANVAS_TOKENS,
      adapters: 1,
    })),
    ...lengths.map((tokens) => ({ grows: "length" as const, canvases: 1, tokens, adapters: 1 })),
    ...[1, 4, 16, ADAPTERS].map((adapters) => ({
      grows: "adapters" as const,
      canvases: ADAPTERS,
      tokens: CANVAS_TOKENS / 2,
      adapters,
    })),
  ].map((point) => ({ ...point, threads }));
}

async function measure(bench: Bench, side: Side, point: Point): Promise<Spread> {
  const { grows, threads, canvases, tokens, adapters } = point;
  bench.say(`${grows}: ${threads} threads, ${canvases} × ${tokens} tokens, ${adapters} adapters`);
  const request = { canvases, tokens, adapters };
  const turns = { runs: bench.options.runs, warmups: WARMUPS, request, say: () => {} };
  return spread((await takeTurns({ ours: side }, turns)).map(({ ours }) => UNIT.of(ours)));
}

/** A table whose last column is a bar chart. */
function plotted(points: readonly (Point & Spread)[]): string {
  const most = Math.max(...points.map(({ median }) => median));
  const columns: Column<Point & Spread>[] = [
    { header: "grows", align: "left", cell: ({ grows }) => grows },
    { header: "threads", cell: ({ threads }) => String(threads) },
    { header: "canvases", cell: ({ canvases }) => String(canvases) },
    { header: "tokens", cell: ({ tokens }) => String(tokens) },
    { header: "adapters", cell: ({ adapters }) => String(adapters) },
    { header: "ms", cell: ({ canvases, tokens, median }) => number((1000 * canvases * tokens) / median) },
    { header: "tokens/s", cell: ({ median }) => number(median) },
    { header: "", align: "left", cell: ({ median }) => "█".repeat(Math.round((24 * median) / most)) },
  ];
  return renderTable(columns, points);
}
