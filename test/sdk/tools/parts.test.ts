import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inLanes } from "../../../sdk/tools/lanes.js";
import { parts, partsOfTests } from "../../../sdk/tools/parts.js";
import { testFolder } from "../support/folders.js";

describe("the parts of the worker's tests", () => {
  it("have every file that pytest finds once, and no other", async () => {
    const folder = testFolder();
    mkdirSync(join(folder, "model"));
    const tests = ["test_a.py", "model/test_b.py", "model/c_test.py", "test_d.py"];
    const others = ["conftest.py", "pytest.ini", "model/support.py", "model/test_b.txt"];
    for (const name of [...tests, ...others]) writeFileSync(join(folder, name), name);
    for (const count of [1, 2, 3, 9]) {
      const made = await partsOfTests(folder, count);
      expect(made.length).toBe(Math.min(count, tests.length));
      expect(made.flat().sort()).toEqual(tests.map((name) => join(folder, name)).sort());
    }
  });

  it("differ by no more than the largest of what they hold", () => {
    const items = Array.from({ length: 60 }, (_, i) => ({ size: (i * i * 37) % 101 }));
    const sizes = parts(items, 4).map((part) => part.reduce((sum, { size }) => sum + size, 0));
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(100);
  });
});

describe("lanes", () => {
  it("do so many jobs at a time, each once, and give their results in order", async () => {
    const started: number[] = [];
    let now = 0;
    let most = 0;
    const jobs = Array.from({ length: 7 }, (_, i) => async () => {
      started.push(i);
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 7 - i));
      now--;
      return i * 10;
    });
    expect(await inLanes(2, jobs)).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(most).toBe(2);
  });

  it("let a long job be overtaken by all the others", async () => {
    const done: string[] = [];
    let finish = () => {};
    const long = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const short = (name: string) => async () => {
      done.push(name);
      if (name === "d") finish();
    };
    await inLanes(2, [() => long.then(() => void done.push("long")), short("b"), short("c"), short("d")]);
    expect(done).toEqual(["b", "c", "d", "long"]);
  });
});
