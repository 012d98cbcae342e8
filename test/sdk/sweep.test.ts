import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, expectTypeOf, it } from "vitest";
import { LadError, sweep } from "../../sdk/src/index.js";

async function manifestPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "lad-test-")), "sweep.json");
}

describe("the axes", () => {
  const run = async () => 1;

  it("make every combination, the last one running fastest, typed", async () => {
    const grid = sweep({ axes: { rank: [4, 16], noise: ["lad", "cover"] }, run });
    expectTypeOf(grid.points[0]).toEqualTypeOf<
      { readonly rank: 4 | 16; readonly noise: "lad" | "cover" } | undefined
    >();
    expect(grid.points).toEqual([
      { rank: 4, noise: "lad" },
      { rank: 4, noise: "cover" },
      { rank: 16, noise: "lad" },
      { rank: 16, noise: "cover" },
    ]);
  });

  it.each([
    [{}, "axes", "there is no axis"],
    [{ rank: [] }, "axes.rank", "at least one value"],
    [{ rank: [4, 0] }, "axes.rank[1]", "at least 1"],
    [{ rank: [4, 4] }, "axes.rank[1]", "there twice"],
    [{ learningRate: [Number.NaN] }, "axes.learningRate[0]", "a finite number"],
    [{ learningRate: [-1] }, "axes.learningRate[0]", "at least 0"],
    [{ mode: ["refin"] }, "axes.mode[0]", "one of remask"],
    [{ anything: [{}] }, "axes.anything[0]", "a string, a finite number"],
  ])("are checked before anything starts: %j", (axes, option, text) => {
    let started = false;
    const bad = () =>
      sweep({
        axes: axes as never,
        run: async () => {
          started = true;
        },
      });
    expect(bad).toThrow(text);
    expect(bad).toThrow(expect.objectContaining({ code: "invalid-option", option }));
    expect(started).toBe(false);
  });

  it("are checked point by point where the caller can say more", () => {
    const check = ({ rank, alpha }: { rank: number; alpha: number }) => {
      if (alpha > rank) throw new Error("alpha is above the rank");
    };
    expect(() => sweep({ axes: { rank: [4], alpha: [2, 8] }, run, check })).toThrow(
      'axes make the point {"rank":4,"alpha":8}: alpha is above the rank',
    );
  });

  it("come with known settings only", () => {
    expect(() => sweep({ axes: { rank: [4] }, run, concurency: 2 } as never)).toThrow(
      "Did you mean concurrent?",
    );
    expect(() => sweep({ axes: { rank: [4] }, run: 3 } as never)).toThrow("run is 3");
  });
});

describe("the results", () => {
  it("come as they are done, and as a table in the grid's order", async () => {
    const grid = sweep({
      axes: { wait: [80, 5, 30] },
      concurrent: 3,
      run: async ({ wait }) => {
        await sleep(wait);
        return wait * 2;
      },
    });
    const order: number[] = [];
    for await (const { point } of grid) order.push(point.wait);
    expect(order).toEqual([5, 30, 80]);
    const table = await grid.table();
    expect(table.map((row) => (row.status === "done" ? row.result : undefined))).toEqual([160, 10, 60]);
    expect(table.map(({ index, resumed }) => [index, resumed])).toEqual([
      [0, false],
      [1, false],
      [2, false],
    ]);
  });

  it("keep failures beside successes", async () => {
    const table = await sweep({
      axes: { rank: [1, 2, 3] },
      run: async ({ rank }) => {
        if (rank === 2) throw new LadError("diverged", "The loss is NaN.");
        return rank;
      },
    }).table();
    expect(table.map(({ status }) => status)).toEqual(["done", "failed", "done"]);
    expect(table[1]).toMatchObject({
      point: { rank: 2 },
      error: { code: "diverged", message: "The loss is NaN." },
    });
  });

  it("are computed no more than so many at once", async () => {
    let now = 0;
    let most = 0;
    await sweep({
      axes: { i: [1, 2, 3, 4, 5, 6] },
      concurrent: 2,
      run: async () => {
        most = Math.max(most, ++now);
        await sleep(10);
        now--;
      },
    }).table();
    expect(most).toBe(2);
  });

  it("are computed once, however often they are asked for", async () => {
    let runs = 0;
    const grid = sweep({ axes: { i: [1, 2] }, run: async () => ++runs });
    for await (const _ of grid);
    for await (const _ of grid);
    await grid.table();
    expect(runs).toBe(2);
  });
});

describe("ending early", () => {
  it("aborts what still runs when the loop is left", async () => {
    const aborted: number[] = [];
    const grid = sweep({
      axes: { i: [1, 2, 3, 4] },
      concurrent: 2,
      run: async ({ i }, { signal }) => {
        signal.addEventListener("abort", () => aborted.push(i));
        await sleep(i === 1 ? 1 : 10_000, undefined, { signal });
      },
    });
    for await (const _ of grid) break;
    await expect(grid.table()).rejects.toMatchObject({ code: "cancelled" });
    expect(aborted).toContain(2);
    expect(aborted).not.toContain(4);
  });

  it("is the caller's signal's right", async () => {
    const abort = new AbortController();
    const grid = sweep({
      axes: { i: [1, 2] },
      signal: abort.signal,
      run: (_, { signal }) => sleep(10_000, undefined, { signal }),
    });
    setTimeout(() => abort.abort("enough"), 20);
    await expect(grid.table()).rejects.toMatchObject({ code: "cancelled", cause: "enough" });
  });
});

describe("a manifest", () => {
  const axes = { rank: [1, 2, 3] } as const;

  it("lets a sweep that was interrupted go on where it was", async () => {
    const manifest = await manifestPath();
    const ran: number[] = [];
    const first = sweep({
      axes,
      manifest,
      run: async ({ rank }) => {
        if (rank === 3) throw new Error("power cut");
        ran.push(rank);
        return { perplexity: rank === 1 ? Number.NaN : 2.5, seed: 2n ** 60n };
      },
    });
    expect((await first.table()).map(({ status }) => status)).toEqual(["done", "done", "failed"]);
    const second = sweep({ axes, manifest, run: async ({ rank }) => ran.push(rank) });
    const table = await second.table();
    expect(ran).toEqual([1, 2, 3]);
    expect(table.map(({ resumed }) => resumed)).toEqual([true, true, false]);
    expect(table[0]).toMatchObject({ status: "done", result: { perplexity: Number.NaN, seed: 2n ** 60n } });
  });

  it("keeps failures where they are not to be tried again", async () => {
    const manifest = await manifestPath();
    const failing = async () => {
      throw new Error("no");
    };
    await sweep({ axes, manifest, run: failing }).table();
    const table = await sweep({ axes, manifest, run: async () => 1, retryFailed: false }).table();
    expect(table.every(({ status, resumed }) => status === "failed" && resumed)).toBe(true);
  });

  it("takes more values of an axis", async () => {
    const manifest = await manifestPath();
    const run = async ({ rank }: { rank: number }) => rank;
    await sweep({ axes: { rank: [1, 2] }, manifest, run }).table();
    const table = await sweep({ axes: { rank: [1, 2, 4] }, manifest, run }).table();
    expect(table.map(({ resumed }) => resumed)).toEqual([true, true, false]);
  });

  it("of another sweep is refused", async () => {
    const manifest = await manifestPath();
    const run = async () => 1;
    await sweep({ axes, manifest, spec: { steps: 10 }, run }).table();
    await expect(sweep({ axes, manifest, spec: { steps: 20 }, run }).table()).rejects.toMatchObject({
      code: "invalid-state",
      option: "manifest",
    });
    await expect(
      sweep({ axes: { alpha: [1] }, manifest, spec: { steps: 10 }, run }).table(),
    ).rejects.toMatchObject({
      code: "invalid-state",
    });
  });

  it("that is no manifest is refused and left as it is", async () => {
    const manifest = await manifestPath();
    await writeFile(manifest, "my notes");
    const refused = sweep({ axes, manifest, run: async () => 1 }).table();
    await expect(refused).rejects.toMatchObject({ code: "invalid-file", option: "manifest" });
    expect(await readFile(manifest, "utf8")).toBe("my notes");
  });

  it("that cannot be written ends the sweep", async () => {
    const grid = sweep({ axes, manifest: "/proc/no-such/sweep.json", run: async () => 1 });
    await expect(grid.table()).rejects.toMatchObject({ code: "storage", option: "manifest" });
  });

  it("is whole at every moment", async () => {
    const manifest = await manifestPath();
    let reading = true;
    const grid = sweep({
      axes: { i: Array.from({ length: 30 }, (_, i) => i) },
      concurrent: 4,
      manifest,
      run: async ({ i }) => "x".repeat(i * 1000),
    });
    const reader = (async () => {
      let reads = 0;
      while (reading) {
        const text = await readFile(manifest, "utf8").catch(() => undefined);
        if (text !== undefined) JSON.parse(text);
        reads++;
        await sleep(1);
      }
      return reads;
    })();
    await grid.table();
    reading = false;
    expect(await reader).toBeGreaterThan(0);
  });
});
