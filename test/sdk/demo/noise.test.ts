/** The noise lab's draws: what they come to, and that they are in nobody's way. */
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { NoiseRequest } from "../../../sdk/src/demo/messages.js";
import { corruptedText, MOST_DRAWN_TOKENS } from "../../../sdk/src/demo/noise.js";
import { applyNoise, type Base, noises } from "../../../sdk/src/index.js";

const levels = { masked: 0.3, swapped: 0.2, duplicated: 0.1, shifted: 0.1 };
const never = new AbortController().signal;

/** A base of a token a character. */
function baseOf(asked: string[] = []): Pick<Base, "encode" | "pieces" | "info"> {
  return {
    info: { maskTokenId: 200, vocabSize: 201 } as Base["info"],
    async encode(text) {
      asked.push("encode");
      return Array.from(text, (character) => character.charCodeAt(0));
    },
    async pieces(ids) {
      asked.push("pieces");
      return Array.from(ids, (id) => String.fromCharCode(id));
    },
  };
}

function request(tokens: number, draws: number): NoiseRequest {
  return { text: "ab".repeat(tokens / 2), seed: 3, draws, ...levels };
}

describe("the distribution of many draws", () => {
  it("is that of each draw by itself", async () => {
    const { clean, drawn, rates, counts } = await corruptedText(baseOf(), request(20, 40), never);
    const example = { id: 0n, ids: clean.ids, answer: new Uint8Array(20).fill(1), tail: new Uint8Array(20) };
    const noise = noises.fixed({ ...levels, tailNoise: false });
    const corrupted = Array.from({ length: 40 }, (_, epoch) => {
      const context = { seed: 3n, epoch, maskTokenId: 200, vocabSize: 201 };
      const { corrupted, masked } = applyNoise(example, noise, context);
      return Array.from(corrupted, (is, i) => is === 1 || masked[i] === 1);
    });
    expect(drawn.corrupted).toEqual(corrupted[0]);
    expect(rates).toEqual(clean.ids.map((_, i) => corrupted.filter((draw) => draw[i]).length / 40));
    const sizes = corrupted.map((draw) => draw.filter(Boolean).length);
    expect(counts).toEqual(Array.from({ length: 21 }, (_, n) => sizes.filter((size) => size === n).length));
    expect(Math.max(...sizes)).toBeGreaterThan(0);
  });

  it("has for each kind what that kind does by itself", async () => {
    const { kinds } = await corruptedText(baseOf(), { ...request(20, 40), shifted: 0 }, never);
    const none = { masked: 0, swapped: 0, duplicated: 0, shifted: 0 };
    for (const kind of ["masked", "swapped", "duplicated"] as const) {
      const alone = { ...request(20, 40), ...none, [kind]: levels[kind] };
      expect(kinds[kind]).toEqual((await corruptedText(baseOf(), alone, never)).rates);
    }
    expect(new Set(Object.keys(kinds))).toEqual(new Set(["masked", "swapped", "duplicated"]));
  });

  it("lets others have their turn between any two draws", async () => {
    let turns = 0;
    let isDone = false;
    const others = (async () => {
      while (!isDone) {
        await setImmediate();
        turns += 1;
      }
    })();
    await corruptedText(baseOf(), request(20, 50), never);
    isDone = true;
    await others;
    expect(turns).toBeGreaterThanOrEqual(49);
  });

  it("ends when nobody waits for it any more", async () => {
    const asked: string[] = [];
    const gone = new AbortController();
    const drawing = corruptedText(baseOf(asked), request(2000, 1000), gone.signal);
    await setImmediate();
    gone.abort();
    await expect(drawing).rejects.toMatchObject({ code: "cancelled" });
    expect(asked).toEqual(["encode"]);
  });

  it("of more tokens than are drawn is refused before the first, with how many draws there may be", async () => {
    const most = MOST_DRAWN_TOKENS / 20_000;
    await expect(corruptedText(baseOf(), request(20_000, 1000), never)).rejects.toMatchObject({
      code: "invalid-option",
      option: "draws",
      message: expect.stringContaining(`of 20000 tokens at most ${most} draws`),
    });
  });
});
