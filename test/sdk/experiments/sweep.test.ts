import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, expectTypeOf, it } from "vitest";
import { LadError, sweep } from "../../../sdk/src/index.js";
import { testFolder } from "../support/folders.js";

async function manifestPath(): Promise<string> {
  return join(testFolder(), "sweep.json");
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
    [{ policy: ["refin"] }, "axes.policy[0]", "Did you mean refine"],
    [{ sharpness: [0] }, "axes.sharpness[0]", "above 0"],
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
  it("aborts what still runs when the loop is left, and waits until it has let go", async () => {
    const aborted: number[] = [];
    const letGo: number[] = [];
    const grid = sweep({
      axes: { i: [1, 2, 3, 4] },
      concurrent: 2,
      run: async ({ i }, { signal }) => {
        signal.addEventListener("abort", () => aborted.push(i));
        try {
          await sleep(i === 1 ? 1 : 10_000, undefined, { signal });
        } finally {
          await sleep(100); // as an adapter takes that is dropped
          letGo.push(i);
        }
      },
    });
    for await (const _ of grid) break;
    expect(letGo).toContain(2);
    expect(letGo).toHaveLength(3);
    await expect(grid.table()).rejects.toMatchObject({ code: "cancelled" });
    expect(aborted).toContain(2);
    expect(aborted).not.toContain(4);
  });

  it("waits as well when the loop's own body throws", async () => {
    let running = 0;
    const grid = sweep({
      axes: { i: [1, 2] },
      concurrent: 2,
      run: async ({ i }, { signal }) => {
        running++;
        await sleep(i === 1 ? 1 : 10_000, undefined, { signal }).catch(() => sleep(50));
        running--;
      },
    });
    const read = async () => {
      for await (const _ of grid) throw new Error("enough");
    };
    await expect(read()).rejects.toThrow("enough");
    expect(running).toBe(0);
  });

  it("is the caller's signal's right, once every point has let go", async () => {
    const abort = new AbortController();
    let running = 0;
    const grid = sweep({
      axes: { i: [1, 2] },
      concurrent: 2,
      signal: abort.signal,
      run: async (_, { signal }) => {
        running++;
        try {
          await sleep(10_000, undefined, { signal });
        } finally {
          await sleep(50);
          running--;
        }
      },
    });
    setTimeout(() => abort.abort("enough"), 20);
    const read = async () => {
      for await (const _ of grid);
    };
    await expect(read()).rejects.toMatchObject({ code: "cancelled", cause: "enough" });
    expect(running).toBe(0);
  });
});

describe("a sweep's spec", () => {
  const axes = { rank: [1, 2] } as const;

  it("is what run is given, typed, and nobody can change it", async () => {
    const given = { steps: 30, optimizer: { kind: "muon", momentum: [0.9] }, none: undefined };
    const table = await sweep({
      axes,
      spec: given,
      run: async ({ rank }, { spec }) => {
        expectTypeOf(spec.optimizer.momentum).toEqualTypeOf<readonly number[]>();
        expect(spec).not.toBe(given);
        expect(() => Object.assign(spec.optimizer, { kind: "adamw" })).toThrow(TypeError);
        expect(() => (spec.optimizer.momentum as number[]).push(1)).toThrow(TypeError);
        return rank * spec.steps;
      },
    }).table();
    expect(table.map((row) => (row.status === "done" ? row.result : row.error))).toEqual([30, 60]);
  });

  it("has to be there where a manifest is, for the compiler and at run time", () => {
    const run = async () => 1;
    // @ts-expect-error: a manifest without a spec
    expect(() => sweep({ axes, manifest: "sweep.json", run })).toThrow(
      expect.objectContaining({ code: "invalid-option", option: "spec" }),
    );
  });

  it("that is undefined is none, whatever the program meant by it", () => {
    // @ts-expect-error: a manifest without a spec
    expect(() => sweep({ axes, manifest: "sweep.json", spec: undefined, run: async () => 1 })).toThrow(
      "spec is missing",
    );
  });

  const circular: Record<string, unknown> = {};
  circular.me = { circular };

  it.each<[object, string, string]>([
    [{ noise: { corrupt: () => [] } }, "spec.noise.corrupt", "a function"],
    [{ at: new Date(0) }, "spec.at", "a Date"],
    [{ ids: [[1], new Int32Array(2)] }, "spec.ids[1]", "a Int32Array"],
    [{ a: [undefined] }, "spec.a[0]", "undefined"],
    [{ a: Symbol("s") }, "spec.a", "Symbol(s)"],
    [circular, "spec.me.circular", "holds itself"],
    [{ a: { $bigint: "7" } }, "spec.a.$bigint", "reserved"],
  ])("that no file can keep is refused by name: %#", (spec, option, text) => {
    const bad = () => sweep({ axes, spec, run: async () => 1 });
    expect(bad).toThrow(expect.objectContaining({ code: "invalid-option", option }));
    expect(bad).toThrow(text);
  });
});

describe("a manifest", () => {
  const axes = { rank: [1, 2, 3] } as const;
  const spec = {};

  it("lets a sweep that was interrupted go on where it was", async () => {
    const manifest = await manifestPath();
    const ran: number[] = [];
    const first = sweep({
      axes,
      manifest,
      spec,
      run: async ({ rank }) => {
        if (rank === 3) throw new Error("power cut");
        ran.push(rank);
        return { perplexity: rank === 1 ? Number.NaN : 2.5, seed: 2n ** 60n };
      },
    });
    expect((await first.table()).map(({ status }) => status)).toEqual(["done", "done", "failed"]);
    const second = sweep({ axes, manifest, spec, run: async ({ rank }) => ran.push(rank) });
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
    await sweep({ axes, manifest, spec, run: failing }).table();
    const table = await sweep({ axes, manifest, spec, run: async () => 1, retryFailed: false }).table();
    expect(table.every(({ status, resumed }) => status === "failed" && resumed)).toBe(true);
  });

  it("takes more values of an axis", async () => {
    const manifest = await manifestPath();
    const run = async ({ rank }: { rank: number }) => rank;
    await sweep({ axes: { rank: [1, 2] }, manifest, spec, run }).table();
    const table = await sweep({ axes: { rank: [1, 2, 4] }, manifest, spec, run }).table();
    expect(table.map(({ resumed }) => resumed)).toEqual([true, true, false]);
  });

  it("of another spec is refused, by the names and both values of what differs", async () => {
    const manifest = await manifestPath();
    const training = { steps: 30, learningRate: 0.1, noise: { kind: "lad" } };
    const before = { training, seeds: [1n, 2n], note: Number.NaN };
    const run = async () => 1;
    await sweep({ axes, manifest, spec: before, run }).table();
    const now = {
      training: { ...training, steps: 60, noise: { kind: "cover" } },
      seeds: [1n, 3n],
      note: Number.NaN,
      base: "tiny",
    };
    const error = await sweep({ axes, manifest, spec: now, run })
      .table()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "invalid-state", option: "manifest", value: manifest });
    const { message } = error as LadError;
    expect(message).toContain("spec.training.steps is 60, there it is 30;");
    expect(message).toContain("spec.training.noise.kind is cover, there it is lad");
    expect(message).toContain("spec.seeds[1] is 3, there it is 2");
    expect(message).toContain("spec.base is tiny, and it has none");
    expect(message).not.toMatch(/learningRate|note|seeds\[0\]/);
    expect(message).toContain("Give each experiment a file of its own, or delete this one.");
    const same = { note: Number.NaN, seeds: [1n, 2n], training: { ...training } };
    const table = await sweep({ axes, manifest, spec: same, run }).table();
    expect(table.every(({ resumed }) => resumed)).toBe(true);
  });

  it("of other axes is refused", async () => {
    const manifest = await manifestPath();
    await sweep({ axes, manifest, spec, run: async () => 1 }).table();
    const other = sweep({ axes: { alpha: [1] }, manifest, spec, run: async () => 1 }).table();
    await expect(other).rejects.toThrow("axes[0] is alpha, there it is rank");
    await expect(other).rejects.toMatchObject({ code: "invalid-state", option: "manifest" });
  });

  it("of a version that kept no spec is refused: nobody knows what its results depend on", async () => {
    const manifest = await manifestPath();
    const old = {
      version: 1,
      digest: "d",
      points: { '{"rank":1}': { status: "done", result: 5, seconds: 1 } },
    };
    await writeFile(manifest, JSON.stringify(old));
    const refused = sweep({ axes, manifest, spec, run: async () => 1 }).table();
    await expect(refused).rejects.toMatchObject({ code: "invalid-state", option: "manifest" });
  });

  it("is one sweep's at a time, and free again when that one has ended or its process has died", async () => {
    const manifest = await manifestPath();
    const run = () => sleep(200, 1);
    const [first, second] = [1, 2].map(() => sweep({ axes, manifest, spec, run }));
    const running = first?.table();
    await expect(second?.table()).rejects.toThrow(/a sweep of this process has it open.*\.lock/);
    await running;
    const gone = await execa(process.execPath, ["-p", "process.pid"]);
    await writeFile(`${manifest}.lock`, gone.stdout);
    const table = await sweep({ axes, manifest, spec, run }).table();
    expect(table.every(({ resumed }) => resumed)).toBe(true);
  });

  it("that another machine's process writes meanwhile ends the sweep, and stays as that one left it", async () => {
    const manifest = await manifestPath();
    const grid = sweep({ axes, manifest, spec, run: () => writeFile(manifest, "another's") });
    await expect(grid.table()).rejects.toMatchObject({ code: "invalid-state", option: "manifest" });
    expect(await readFile(manifest, "utf8")).toBe("another's");
  });

  it("makes a point fail whose result it cannot keep, by the name of the part", async () => {
    const manifest = await manifestPath();
    const run = async () => ({ losses: { ce: new Float32Array(2) } });
    const [row] = await sweep({ axes: { rank: [1] }, manifest, spec, run }).table();
    expect(row).toMatchObject({ status: "failed", error: { code: "invalid-option" } });
    expect(row?.status === "failed" && row.error.message).toContain("result.losses.ce is a Float32Array");
  });

  it("that is no manifest is refused and left as it is", async () => {
    const manifest = await manifestPath();
    await writeFile(manifest, "my notes");
    const refused = sweep({ axes, manifest, spec, run: async () => 1 }).table();
    await expect(refused).rejects.toMatchObject({ code: "invalid-file", option: "manifest" });
    expect(await readFile(manifest, "utf8")).toBe("my notes");
  });

  it("that cannot be written ends the sweep before anything is computed", async () => {
    let ran = false;
    const run = async () => {
      ran = true;
    };
    const grid = sweep({ axes, manifest: "/proc/no-such/sweep.json", spec, run });
    await expect(grid.table()).rejects.toMatchObject({ code: "storage", option: "manifest" });
    expect(ran).toBe(false);
  });

  it("is whole at every moment", async () => {
    const manifest = await manifestPath();
    let reading = true;
    const grid = sweep({
      axes: { i: Array.from({ length: 30 }, (_, i) => i) },
      concurrent: 4,
      manifest,
      spec,
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
