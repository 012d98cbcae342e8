import { expect, test } from "vitest";
import { likelihoodMasks } from "../../../sdk/src/method/likelihood-masks.js";
import golden from "../../contract/likelihood.json" with { type: "json" };

test("a likelihood's samples mask what the worker's do", () => {
  for (const { masks, seed, key, ...rest } of golden) {
    expect(likelihoodMasks({ seed: BigInt(seed), key: BigInt(key), ...rest })).toEqual(masks);
  }
});
