import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Kept } from "../../bench/harness/kept.js";
import { scratchFolder } from "../e2e/support/stub.js";

const scratch = scratchFolder();
const never = () => Promise.reject(new Error("made again"));

it("makes a part once, and a further call has it from the file", async () => {
  const folder = join(scratch, "once");
  const kept = await Kept.open(folder, "race", { minutes: 1 });
  expect(await kept.part("a", async () => ({ seconds: 3 }))).toEqual({ seconds: 3 });
  expect(await kept.part("a", never)).toEqual({ seconds: 3 });
  const again = await Kept.open(folder, "race", { minutes: 1 });
  expect(await again.part("a", never)).toEqual({ seconds: 3 });
  await again.part("b", async () => 4);
  const whole = JSON.parse(readFileSync(again.file, "utf8"));
  expect(whole).toEqual({ facts: { minutes: 1 }, parts: { a: { seconds: 3 }, b: 4 } });
  expect(readdirSync(folder)).toHaveLength(1);
});

it("keeps nothing of a part that failed, and what was finished before", async () => {
  const folder = join(scratch, "failed");
  const kept = await Kept.open(folder, "race", {});
  await kept.part("a", async () => 1);
  await expect(kept.part("b", never)).rejects.toThrow("made again");
  const again = await Kept.open(folder, "race", {});
  expect(await again.part("a", never)).toBe(1);
  expect(await again.part("b", async () => 2)).toBe(2);
});

it("keeps what other facts come to apart", async () => {
  const folder = join(scratch, "apart");
  const one = await Kept.open(folder, "race", { minutes: 1 });
  await one.part("a", async () => 1);
  const two = await Kept.open(folder, "race", { minutes: 2 });
  expect(await two.part("a", async () => 2)).toBe(2);
});
