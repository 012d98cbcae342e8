import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { LadError } from "../../../sdk/src/errors.js";
import { Sequence } from "../../../sdk/src/runs/numbered-calls.js";

const unasked = async () => {
  throw new Error("nobody should have asked");
};

it("numbers calls in the order in which they were made, one after another", async () => {
  const sequence = new Sequence(4, unasked);
  const log: string[] = [];
  const call = (milliseconds: number) =>
    sequence.next(async (number) => {
      log.push(`${number} begins`);
      await sleep(milliseconds);
      log.push(`${number} ends`);
      return number;
    });
  expect(await Promise.all([call(20), call(1), call(1)])).toEqual([5n, 6n, 7n]);
  expect(log).toEqual(["5 begins", "5 ends", "6 begins", "6 ends", "7 begins", "7 ends"]);
});

it("gives the number of a refused call to the next one", async () => {
  const sequence = new Sequence(0, unasked);
  await expect(
    sequence.next(async () => {
      throw new LadError("invalid-option", "no.");
    }),
  ).rejects.toMatchObject({ code: "invalid-option" });
  expect(await sequence.next(async (number) => number)).toBe(1n);
});

it.each(["cancelled", "timeout", "unavailable", "invalid-state"] as const)(
  "asks the worker for its last number after a call that ended with %s",
  async (code) => {
    let asked = 0;
    const sequence = new Sequence(0, async () => {
      asked++;
      return 1;
    });
    const lost = sequence.next(async () => {
      throw new LadError(code, "who knows.");
    });
    await expect(lost).rejects.toMatchObject({ code });
    expect(await sequence.next(async (number) => number)).toBe(2n);
    expect(await sequence.next(async (number) => number)).toBe(3n);
    expect(asked).toBe(1);
  },
);

it("asks again where the question itself failed", async () => {
  let asked = 0;
  const sequence = new Sequence(0, async () => {
    if (++asked === 1) throw new LadError("unavailable", "not now.");
    return 0;
  });
  const fail = async () => {
    throw new LadError("unavailable", "not now.");
  };
  await expect(sequence.next(fail)).rejects.toThrow();
  await expect(sequence.next(async (number) => number)).rejects.toMatchObject({ code: "unavailable" });
  expect(await sequence.next(async (number) => number)).toBe(1n);
});
